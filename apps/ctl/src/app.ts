import { DomainError } from '@rookery/std'
import { Command, CommanderError } from 'commander'

import type { CtlContext } from './context.ts'
import { type CtlIo, exitCodes } from './ctl-io.ts'
import { commandReference as documentOf } from './document.ts'
import { type Group, groups } from './groups.ts'
import { addExamples } from './help.ts'

export { type CtlIo, exitCodes } from './ctl-io.ts'

/**
 * Runs the operator's command line and returns its exit code: 0 done, 1 failed, 2 called wrongly, 3 done and something
 * is not as it has to be. What was asked for goes to `out`, what went wrong to `err`. Never throws.
 *
 * @param argv the arguments, without those of Node.
 */
export async function runCtl(argv: readonly string[], io: CtlIo): Promise<number> {
  try {
    const called = calledGroups(argv)
    if (called.length === 0) {
      await addGroups(newProgram(io), undefined, called).then((program) => parse(program, argv))
      return exitCodes.ok
    }
    const { openContext } = await import('./context.ts')
    await using context = openContext(io)
    await parse(await addGroups(newProgram(io), context, called), argv)
    return context.exitCode
  } catch (error) {
    // Commander has said what was wrong with the call.
    if (error instanceof CommanderError) return error.exitCode === 0 ? exitCodes.ok : exitCodes.usage
    io.err(`ctl: ${explain(error)}\n`)
    return exitCodes.failed
  }
}

function parse(program: Command, argv: readonly string[]): Promise<Command> {
  return program.parseAsync(argv, { from: 'user' })
}

/** The groups that a call is about: what is called, asked help for, or being completed. */
function calledGroups(argv: readonly string[]): Group[] {
  const [first = '', second = ''] = argv.filter((word) => !word.startsWith('-'))
  const names = first === 'complete' ? ['completion', second] : [first === 'help' ? second : first]
  return groups.filter(({ name }) => names.includes(name))
}

function newProgram(io: CtlIo): Command {
  return new Command('ctl')
    .description("The operator's command line of Rookery.")
    .option('--json', 'print JSON rather than tables')
    .showHelpAfterError('(--help shows how it is called)')
    .configureOutput({ writeOut: io.out, writeErr: io.err })
    .exitOverride()
}

/** Adds the called groups whole, and the others as far as the help of all needs them. */
async function addGroups(
  program: Command,
  context: CtlContext | undefined,
  called: readonly Group[],
): Promise<Command> {
  for (const group of groups) {
    if (context === undefined || !called.includes(group)) {
      program.command(group.name).description(group.description)
      continue
    }
    const add = await group.load()
    add(program, context)
  }
  addExamples(program)
  return program
}

/** Returns the whole command line, not run yet. */
export function buildProgram(context: CtlContext): Promise<Command> {
  return addGroups(newProgram(context.io), context, groups)
}

/** Returns docs/ctl.md. */
export async function commandReference(): Promise<string> {
  const { openContext } = await import('./context.ts')
  const nowhere = { out: () => {}, err: () => {}, env: {} }
  return documentOf(await buildProgram(openContext(nowhere)))
}

function explain(error: unknown): string {
  if (error instanceof DomainError) return error.message
  if (!(error instanceof Error)) return String(error)
  const code = 'code' in error ? String(error.code) : undefined
  if (code === 'ECONNREFUSED' || code === 'ENOTFOUND') return 'the database does not answer: is it running?'
  if (code === '42P01') return 'the database has no schema yet: run `ctl migrate`'
  // pg gives an AggregateError without a message when every address refuses.
  return error.message === '' ? `${error.name} ${code ?? ''}` : error.message
}
