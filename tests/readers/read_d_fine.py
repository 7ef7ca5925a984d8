"""D-FINE: boxes."""

from yaml_recipe import judge_config

judge_config("D-FINE", "D-FINE", "src", "HGNetv2")
