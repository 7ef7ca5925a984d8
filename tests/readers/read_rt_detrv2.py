"""RT-DETRv2: boxes."""

from yaml_recipe import judge_config

judge_config("RT-DETRv2", "RT-DETR/rtdetrv2_pytorch", "src", "PResNet")
