"""The config of a stack: what may stand in `Pulumi.<stack>.yaml`, its defaults and its checks."""
