import { type Command, Argument } from 'commander'

import { type Shell, complete, completionScript, shells } from '../completion.ts'
import type { CtlContext } from '../context.ts'

/** `ctl completion`, and what its scripts call. */
export function addCompletionCommands(program: Command, context: CtlContext): void {
  program
    .command('completion')
    .description('Print a script that has a shell complete the command line.')
    .addArgument(new Argument('<shell>').choices(shells))
    .option('--name <name>', 'what this command is called there', 'ctl')
    .action((shell: Shell, { name }: { name: string }, command: Command) => {
      const script = completionScript(shell, name)
      context.print(command, { value: { shell, script }, text: script.trimEnd() })
    })
  program
    .command('complete', { hidden: true })
    .argument('[words...]')
    .action((words: string[]) =>
      context.io.out(
        complete(program, words)
          .map((word) => `${word}\n`)
          .join(''),
      ),
    )
}
