import type { Command } from 'commander'

/** Shells that there is completion for. */
export const shells = ['bash', 'zsh', 'fish'] as const
export type Shell = (typeof shells)[number]

/**
 * Returns what may follow the words of a command line, the last of which is being typed: commands, options, or the
 * values that the option before takes.
 */
export function complete(program: Command, words: readonly string[]): string[] {
  const typed = words.at(-1) ?? ''
  let command = program
  for (const word of words.slice(0, -1)) {
    command = command.commands.find((sub) => sub.name() === word) ?? command
  }
  const before = words.at(-2)
  const option = command.options.find(({ long }) => long !== undefined && long === before)
  const wanted =
    option !== undefined && (option.required || option.optional)
      ? (option.argChoices ?? [])
      : typed.startsWith('-')
        ? [...command.options, ...program.options].flatMap(({ long }) => long ?? []).concat('--help')
        : [
            ...command.commands.map((sub) => sub.name()),
            ...command.registeredArguments.flatMap(({ argChoices }) => argChoices ?? []),
          ]
  return [...new Set(wanted)].filter((word) => word.startsWith(typed)).sort()
}

/** Returns the script that has a shell ask `ctl complete` what may follow. */
export function completionScript(shell: Shell, name: string): string {
  const id = name.replaceAll(/\W/g, '_')
  return {
    bash: `_${id}_complete() {
  mapfile -t COMPREPLY < <(${name} complete -- "\${COMP_WORDS[@]:1:COMP_CWORD}" 2>/dev/null)
}
complete -F _${id}_complete ${name}
`,
    zsh: `#compdef ${name}
_${id}_complete() {
  local -a found
  found=("\${(@f)$(${name} complete -- "\${(@)words[2,CURRENT]}" 2>/dev/null)}")
  compadd -- $found
}
compdef _${id}_complete ${name}
`,
    fish: `complete -c ${name} -f -a '(${name} complete -- (commandline -opc)[2..] (commandline -ct) 2>/dev/null)'
`,
  }[shell]
}
