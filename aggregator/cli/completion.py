"""Scripts that complete command lines of this program in bash, zsh and fish."""

import shlex
from collections.abc import Iterator

from aggregator.cli.parsed import Command, Option, program

SHELLS = ("bash", "zsh", "fish")


def script(shell: str) -> str:
    """Return the script for a shell.

    Args:
        shell: one of `SHELLS`.
    """
    lines = {"bash": _bash, "zsh": _zsh, "fish": _fish}[shell](program())
    return "\n".join(lines) + "\n"


# bash.


def _bash(whole: Command) -> Iterator[str]:
    names = "|".join(command.name for command in whole.actions)
    yield "_aggregator() {"
    yield '    local current=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD-1]} command="" word words="" i'
    yield "    for ((i = 1; i < COMP_CWORD; i++)); do"
    yield f"        case ${{COMP_WORDS[i]}} in {names}) command=${{COMP_WORDS[i]}}; break ;; esac"
    yield "    done"
    yield "    case $command:$before in"
    for command in (whole, *whole.actions):
        name = "*" if command is whole else command.name
        for option in command.options:
            if option.flags and option.value:
                words = f"words={shlex.quote(' '.join(option.choices))}" if option.choices else "COMPREPLY=(); return"
                yield f"        {'|'.join(f'{name}:{flag}' for flag in option.flags)}) {words} ;;"
    yield "    esac"
    yield "    if [[ -z $words ]]; then"
    yield "        case $command in"
    for command in (whole, *whole.actions):
        below = [action.name for action in command.actions]
        choices = [choice for option in command.options if not option.flags for choice in option.choices]
        flags = [flag for flag in _flags(command) if flag.startswith("--") or command is whole]
        common = [
            flag for flag in _flags(whole) if command is not whole and flag.startswith("--") and flag not in flags
        ]
        pattern = '""' if command is whole else command.name
        yield f"            {pattern}) words={shlex.quote(' '.join((*below, *choices, *flags, *common)))} ;;"
    yield "        esac"
    yield "    fi"
    yield '    COMPREPLY=($(compgen -W "$words" -- "$current"))'
    yield "}"
    yield "complete -o default -F _aggregator aggregator  # where nothing fits: names of files"


def _flags(command: Command) -> list[str]:
    return [flag for option in command.options for flag in option.flags]


# zsh.


def _zsh(whole: Command) -> Iterator[str]:
    yield "#compdef aggregator"
    yield "_aggregator() {"
    yield "    local state line"
    yield "    local -a commands"
    yield "    commands=("
    yield from (f"        {_quoted(f'{one.name}:{one.line}')}" for one in whole.actions)
    yield "    )"
    yield "    _arguments -C \\"
    yield from (f"        {spec} \\" for option in whole.options for spec in _zsh_specs(option))
    yield "        '1:command:->command' '*::argument:->argument'"
    yield "    case $state in"
    yield "        command) _describe command commands ;;"
    yield "        argument)"
    yield "            case $words[1] in"
    for command in whole.actions:
        options = [*command.options, *(option for option in whole.options if option.flags)]
        specs = [spec for option in options for spec in _zsh_specs(option)]
        actions = " ".join(action.name for action in command.actions)
        specs += [f"'1:action:({actions})'"] if actions else []
        yield f"                {command.name}) _arguments {' '.join(specs)} ;;"
    yield "            esac ;;"
    yield "    esac"
    yield "}"
    yield 'if [[ $funcstack[1] == _aggregator ]]; then _aggregator "$@"; else compdef _aggregator aggregator; fi'


def _zsh_specs(option: Option) -> Iterator[str]:
    """Yield the specifications of an option for `_arguments`, one for each of its flags."""
    what = f"({' '.join(option.choices)})" if option.choices else "_files" if option.takes_file else ""
    value = f":{option.value.lower().replace(':', ' ')}:{what}" if option.value else ""
    if not option.flags:
        yield _quoted(f"{'*' if option.is_repeated else ''}{value}")
        return
    others = f"({' '.join(option.flags)})" if len(option.flags) > 1 else ""
    said = option.help.replace("[", "(").replace("]", ")").replace(":", " -")
    for flag in option.flags:
        yield _quoted(f"{others}{flag}[{said}]{value}")


# fish.


def _fish(whole: Command) -> Iterator[str]:
    names = " ".join(command.name for command in whole.actions)
    before = f"not __fish_seen_subcommand_from {names}"
    for command in whole.actions:
        yield f"complete -c aggregator -f -n {_quoted(before)} -a {command.name} -d {_quoted(command.line)}"
    for option in whole.options:
        yield from _fish_option(option, "")
    for command in whole.actions:
        seen = f"__fish_seen_subcommand_from {command.name}"
        for option in command.options:
            yield from _fish_option(option, f" -n {_quoted(seen)}")
        for action in command.actions:
            yield f"complete -c aggregator -f -n {_quoted(seen)} -a {action.name} -d {_quoted(action.line)}"


def _fish_option(option: Option, condition: str) -> Iterator[str]:
    if not option.flags:
        if option.choices:
            yield f"complete -c aggregator -f{condition} -a {_quoted(' '.join(option.choices))}"
        return
    flags = " ".join(f"-l {flag[2:]}" if flag.startswith("--") else f"-s {flag[1:]}" for flag in option.flags)
    value = ""
    if option.value:
        value = (
            " -r" if option.takes_file else f" -x -a {_quoted(' '.join(option.choices))}" if option.choices else " -x"
        )
    yield f"complete -c aggregator{condition} {flags}{value} -d {_quoted(option.help)}"


def _quoted(text: str) -> str:
    """Return a text in single quotes, as all three shells read it."""
    return "'" + text.replace("'", "'\\''") + "'"
