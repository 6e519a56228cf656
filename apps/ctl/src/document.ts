import type { Command } from 'commander'

import { examples } from './examples.ts'
import { leaves } from './help.ts'

/** Returns docs/ctl.md: every command with its arguments, options and examples. */
export function commandReference(program: Command): string {
  const sections = program.commands
    .filter((group) => group.name() !== 'complete')
    .map((group) => {
      const found =
        group.commands.length === 0 ? [{ path: group.name(), command: group }] : leaves(group, [group.name()])
      const intro = group.commands.length === 0 ? '' : `${group.description()}\n\n`
      return `## ctl ${group.name()}\n\n${intro}${found.map(({ path, command }) => section(path, command, found.length > 1)).join('\n')}`
    })
  return [
    '# Commands of ctl\n',
    'Generated from `apps/ctl`; do not edit, run `pnpm gen`.\n',
    '`pnpm ctl` in a checkout, `node apps/ctl/src/main.ts` in an image. It reads the same environment variables as the processes ([configuration](configuration.md)). `--json` on any command prints JSON instead of tables, in stable shapes; errors and progress go to standard error. `--dry-run` shows what would be done; what cannot be taken back wants `--yes`.\n',
    '| exit code | means |\n|---|---|\n| 0 | done |\n| 1 | failed: the message says why |\n| 2 | called wrongly, or without the `--yes` that it wants |\n| 3 | done, and something was found that is not as it has to be |\n',
    'Completion: `source <(ctl completion bash)`, `ctl completion zsh > "${fpath[1]}/_ctl"`, `ctl completion fish > ~/.config/fish/completions/ctl.fish`.\n',
    ...sections,
  ].join('\n')
}

function section(path: string, command: Command, hasTitle: boolean): string {
  const title = hasTitle ? `### ctl ${path}\n\n` : ''
  const usage = command.registeredArguments.map(usageOf)
  const options = command.options.map(
    ({ flags, description, mandatory, defaultValue, argChoices }) =>
      `| \`${flags.replaceAll('|', '\\|')}\` | ${description.replaceAll('|', '\\|')}${mandatory ? '; required' : ''}${
        argChoices === undefined ? '' : `: ${argChoices.join(', ')}`
      }${defaultValue === undefined || Array.isArray(defaultValue) ? '' : `; default ${String(defaultValue)}`} |`,
  )
  const table = options.length === 0 ? '' : `| option | meaning |\n|---|---|\n${options.join('\n')}\n\n`
  const lines = (examples[path] ?? []).map((line) => `ctl ${line}\n`).join('')
  return `${title}\`${['ctl', path, ...usage].join(' ')}\`: ${command.description()}\n\n${table}\`\`\`sh\n${lines}\`\`\`\n`
}

function usageOf(argument: Command['registeredArguments'][number]): string {
  const text = argument.variadic ? `${argument.name()}...` : argument.name()
  return argument.required ? `<${text}>` : `[${text}]`
}
