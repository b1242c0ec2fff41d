"""The main job: puts world, replay and pipeline together; nothing else does.

`options` and `command` are light, so that `--help` answers at once; `job` imports what does the work.
"""
