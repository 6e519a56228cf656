import { readFileSync, readdirSync } from 'node:fs'

import type { Command } from 'commander'
import { beforeEach, describe, expect, test } from 'vitest'

import { buildProgram } from '../src/app.ts'
import { CtlContext } from '../src/context.ts'
import { examples } from '../src/examples.ts'
import { leaves } from '../src/help.ts'

const root = new URL('../../../', import.meta.url)
const documents = [
  'README.md',
  'helm/rookery/README.md',
  'helm/rookery/templates/NOTES.txt',
  'infra/compose.yaml',
  ...readdirSync(new URL('docs/', root))
    .filter((name) => name.endsWith('.md'))
    .map((name) => `docs/${name}`),
]

/** The words of a line of a shell, up to what is not the command's any more. */
function wordsOf(line: string): string[] {
  const [command = ''] = line.split(/ (?:[|<>#]|&&) /)
  return [...command.matchAll(/'([^']*)'|"([^"]*)"|(\S+)/g)].map(
    ([, single, double, plain]) => single ?? double ?? plain ?? '',
  )
}

/** Whole calls: lines of blocks of a shell. */
function callsIn(text: string): string[][] {
  const blocks = [...text.matchAll(/```sh\n([^]*?)```/g)].flatMap(([, block = '']) => block.split('\n'))
  return blocks.flatMap((line) => {
    const [, call] = /^(?:pnpm )?ctl (.+)$/.exec(line.trim()) ?? []
    return call === undefined ? [] : [wordsOf(call)]
  })
}

/** Calls in the midst of a sentence, which may lack what is clear from it. */
function mentionsIn(text: string): string[][] {
  return [...text.matchAll(/`(?:pnpm )?ctl ([^`]+)`/g)].map(([, call = '']) => wordsOf(call))
}

let program: Command
beforeEach(async () => {
  const context = new CtlContext({ out: () => {}, err: () => {} }, () => ({}) as never)
  program = await buildProgram(context)
  // Taken apart and checked, but not done.
  for (const { command } of leaves(program)) command.action(() => {})
})

/** Returns what is wrong with a call, or undefined. */
function problemOf(words: string[]): Promise<string | undefined> {
  return program.parseAsync(words, { from: 'user' }).then(
    () => undefined,
    (error: Error) => `ctl ${words.join(' ')}: ${error.message}`,
  )
}

/** Returns the words of a mention that ctl does not know: of its commands, and of the options of the one it names. */
function unknownIn(words: string[]): string[] {
  let command = program
  let isNamed = false
  return words.flatMap((word) => {
    if (word.startsWith('--')) {
      const known = [...command.options, ...program.options].some(({ long }) => long === word)
      return known || word === '--help' ? [] : [`ctl ${words.join(' ')}: ${word}`]
    }
    const sub = isNamed ? undefined : command.commands.find((each) => each.name() === word)
    if (sub !== undefined) command = sub
    isNamed ||= sub === undefined || sub.commands.length === 0
    return sub === undefined && command.commands.length > 0 && !word.startsWith('<')
      ? [`ctl ${words.join(' ')}: ${word}`]
      : []
  })
}

describe('what is written of ctl', () => {
  test('every example is taken', async () => {
    for (const example of Object.values(examples).flat())
      expect(await problemOf(wordsOf(example))).toBeUndefined()
  })

  test.each(documents)('every call in %s is taken, and what it mentions is there', async (path) => {
    const text = readFileSync(new URL(path, root), 'utf8')
    for (const words of callsIn(text)) expect(await problemOf(words)).toBeUndefined()
    expect(mentionsIn(text).flatMap(unknownIn)).toEqual([])
  })

  test('a wrong call is found', async () => {
    expect(await problemOf(['tenant', 'edit', 'acme', '--colour', 'red'])).toContain('--colour')
    expect(await problemOf(['host', 'create', 'pds.acme.example'])).toContain('--tenant')
    expect(unknownIn(['host', 'make'])).toHaveLength(1)
    expect(unknownIn(['host', 'edit', '--colour'])).toHaveLength(1)
    expect(unknownIn(['host', 'edit', '--rate-limits'])).toEqual([])
  })
})
