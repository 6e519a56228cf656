import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { afterAll, beforeAll, describe, expect, test } from 'vitest'

import { spawnGuarded, tryKill } from './guarded-process.ts'
import { Supervised } from './supervised.ts'

let dir: string

beforeAll(() => {
  dir = mkdtempSync(join(tmpdir(), 'rookery-guard-'))
})

afterAll(() => rmSync(dir, { recursive: true }))

function shell(script: string) {
  return spawnGuarded({ command: '/bin/sh', args: ['-c', script], logFile: join(dir, 'log') })
}

describe('spawnGuarded', () => {
  test('tells the exit code of the command, however soon it ends', async () => {
    const codes = await Promise.all(
      Array.from({ length: 20 }, async (_, code) => (await shell(`exit ${code}`)).exited),
    )
    expect(codes).toEqual(Array.from({ length: 20 }, (_, code) => code))
  })

  test('gives the process id of the command itself', async () => {
    const child = await shell('exec sleep 60')
    expect(tryKill(child.pid, 'SIGKILL')).toBe(true)
    expect(await child.exited).toBe(128 + 9)
  })

  test('stops politely, and by force when that does not help', async () => {
    const log = join(dir, 'polite')
    const polite = await spawnGuarded({
      command: '/bin/sh',
      args: ['-c', 'trap "echo bye; exit 7" TERM; echo ready; while :; do sleep 0.05; done'],
      logFile: log,
    })
    await expect.poll(() => readFileSync(log, 'utf8')).toContain('ready')
    await polite.stop()
    expect(await polite.exited).toBe(7)
    expect(readFileSync(log, 'utf8')).toContain('bye')

    const deafLog = join(dir, 'deaf')
    const deaf = await spawnGuarded({
      command: '/bin/sh',
      args: ['-c', 'trap "" TERM; echo ready; while :; do sleep 0.05; done'],
      logFile: deafLog,
    })
    await expect.poll(() => readFileSync(deafLog, 'utf8')).toContain('ready')
    await deaf.stop(100)
    expect(await deaf.exited).toBe(128 + 9)
  })
})

describe('Supervised', () => {
  test('starts another after an end, tells its pid, and stops for good', async () => {
    const said: string[] = []
    let changes = 0
    const supervised = await Supervised.launch({
      role: 'sleeper',
      start: () => shell('exec sleep 60'),
      onChange: () => changes++,
      say: (text) => said.push(text),
    })
    const first = supervised.current?.pid ?? 0
    tryKill(first, 'SIGKILL')
    await expect.poll(() => supervised.current?.pid ?? first).not.toBe(first)
    expect(changes).toBe(3)
    expect(said).toEqual([`sleeper (pid ${first}) ended with code 137: starting another`])

    const second = supervised.current?.pid ?? 0
    await supervised[Symbol.asyncDispose]()
    expect(supervised.current).toBeUndefined()
    expect(tryKill(second, 0)).toBe(false)
  })

  test('tries again when a later start fails; the first failure is the caller’s', async () => {
    let starts = 0
    const start = () => (++starts === 2 ? Promise.reject(new Error('not now')) : shell('exec sleep 60'))
    const said: string[] = []
    await using supervised = await Supervised.launch({
      role: 'sleeper',
      start,
      onChange: () => undefined,
      say: (text) => said.push(text),
    })
    tryKill(supervised.current?.pid ?? 0, 'SIGKILL')
    await expect.poll(() => starts).toBe(3)
    expect(said[1]).toBe('sleeper did not start: not now')

    const refused = Supervised.launch({
      role: 'never',
      start: () => Promise.reject(new Error('no')),
      onChange: () => undefined,
      say: () => undefined,
    })
    await expect(refused).rejects.toThrow('no')
  })

  test('replaces a process only when another is ready, and keeps it when none is', async () => {
    let isReady = false
    const started: number[] = []
    const supervised = await Supervised.launch({
      role: 'sleeper',
      start: async () => {
        const child = await shell('exec sleep 60')
        started.push(child.pid)
        return { ...child, isReady: () => isReady }
      },
      onChange: () => undefined,
      say: () => undefined,
    })
    const first = supervised.current?.pid ?? 0
    const replaced = supervised.replace()
    await expect.poll(() => started.length).toBe(2)
    expect(supervised.current?.pid).toBe(first)
    isReady = true
    await replaced
    expect(supervised.current?.pid).toBe(started[1])
    expect(tryKill(first, 0)).toBe(false)

    isReady = false
    const failed = supervised.replace()
    await expect.poll(() => started.length).toBe(3)
    tryKill(started[2] ?? 0, 'SIGKILL')
    await expect(failed).rejects.toThrow('replacing sleeper: its successor ended with code 137')
    expect(supervised.current?.pid).toBe(started[1])

    tryKill(started[1] ?? 0, 'SIGKILL')
    await expect.poll(() => started.length).toBe(4)
    await supervised[Symbol.asyncDispose]()
    expect(started.filter((pid) => tryKill(pid, 0))).toEqual([])
  })
})
