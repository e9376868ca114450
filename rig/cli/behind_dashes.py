"""A command of the rig's at whose end another program's may stand, behind ``--``."""

from __future__ import annotations

import click


class WithCommand(click.Command):
    """Its function has ``command``: the words behind the first ``--``, none where there is none.

    Not an argument of click's, which takes any word that is left over: of `--number 1 800 555 0100` the rig would dial
    1, and run a program called 800.
    """

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        at = args.index("--") if "--" in args else len(args)
        ctx.allow_extra_args = True
        left_over = super().parse_args(ctx, args[:at])
        if left_over and not ctx.resilient_parsing:  # as a shell's completion parses
            words = " ".join(left_over)
            ctx.fail(f"nothing takes “{words}”: a number with spaces wants quotes, and a COMMAND stands behind --")
        ctx.params["command"] = tuple(args[at + 1 :])
        return left_over

    def collect_usage_pieces(self, ctx: click.Context) -> list[str]:
        return [*super().collect_usage_pieces(ctx), "[-- COMMAND...]"]
