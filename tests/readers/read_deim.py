"""DEIM: boxes."""

from yaml_recipe import judge_config

judge_config("DEIM", "DEIM", "engine", "HGNetv2")
