import type { Command } from 'commander'

import { examples } from './examples.ts'

/** A command that does something, with the words that lead to it. */
export type Leaf = { path: string; command: Command }

/** Returns every command that does something, in the order of the help. */
export function leaves(command: Command, words: readonly string[] = []): Leaf[] {
  return command.commands
    .filter((sub) => sub.name() !== 'complete')
    .flatMap((sub) => {
      const path = [...words, sub.name()]
      return sub.commands.length === 0 ? [{ path: path.join(' '), command: sub }] : leaves(sub, path)
    })
}

/** Ends the help of each command with examples of it; that of a group with one of each of its commands. */
export function addExamples(program: Command): void {
  const groups = program.commands.filter((sub) => sub.commands.length > 0)
  for (const group of groups)
    addLines(
      group,
      leaves(group, [group.name()]).flatMap(({ path }) => examples[path]?.slice(0, 1) ?? []),
    )
  for (const { path, command } of leaves(program)) addLines(command, examples[path] ?? [])
}

function addLines(command: Command, lines: readonly string[]): void {
  if (lines.length === 0) return
  command.addHelpText('after', `\nExamples:\n${lines.map((line) => `  $ ctl ${line}\n`).join('')}`)
}
