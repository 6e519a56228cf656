import { spawnSync } from 'node:child_process'
import { chmodSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'

import pg from 'pg'
import { afterEach, describe, expect, test } from 'vitest'

import { tryKill } from './guarded-process.ts'
import { startPostgres, waitUntil } from './index.ts'

const dirs: string[] = []

function freshDir(mode: number): string {
  const dir = mkdtempSync(join(tmpdir(), 'rookery-services-'))
  chmodSync(dir, mode)
  dirs.push(dir)
  return dir
}

afterEach(() => {
  for (const dir of dirs.splice(0)) rmSync(dir, { recursive: true, force: true })
})

async function query(url: string, text: string): Promise<unknown[]> {
  const client = new pg.Client(url)
  await client.connect()
  try {
    return (await client.query(text)).rows
  } finally {
    await client.end()
  }
}

describe('startPostgres', () => {
  test('keeps data and password over a restart, and over a crash of the server', async () => {
    const dir = freshDir(0o711)
    const first = await startPostgres({ dir })
    await query(first.url, 'create table kept as select 1 as one')
    tryKill(first.pid, 'SIGKILL')
    expect(await first.exited).toBe(128 + 9)

    const startedMs = performance.now()
    await using second = await startPostgres({ dir, port: first.port })
    expect(performance.now() - startedMs).toBeLessThan(10_000)
    expect(second.url).toBe(first.url)
    expect(await query(second.url, 'select one from kept')).toEqual([{ one: 1 }])
  })

  test('answers through its Unix socket too', async () => {
    await using server = await startPostgres({ dir: freshDir(0o711) })
    expect(server.localUrl).not.toBe(server.url)
    const rows = await query(server.localUrl, 'select inet_server_addr() as address')
    expect(rows).toEqual([{ address: null }])
  })

  test('ends when its parent is killed, and the next start finds the data in order', async () => {
    const dir = freshDir(0o711)
    const script = `
      import { startPostgres } from ${JSON.stringify(join(import.meta.dirname, 'index.ts'))}
      const { pid } = await startPostgres({ dir: ${JSON.stringify(dir)} })
      console.log(pid)
      process.kill(process.pid, 'SIGKILL')`
    const parent = spawnSync(process.execPath, ['--input-type=module', '-e', script], { encoding: 'utf8' })
    expect(parent.signal).toBe('SIGKILL')
    const orphan = Number(parent.stdout.trim())
    await waitUntil(() => !tryKill(orphan, 0), { what: 'the orphan ends', timeoutMs: 20_000 })
    await using again = await startPostgres({ dir })
    expect(await query(again.url, 'select 1 as one')).toEqual([{ one: 1 }])
  })

  test.runIf(process.getuid?.() === 0)('runs as root from a folder that only root may enter', async () => {
    const dir = join(freshDir(0o700), 'deeper')
    mkdirSync(dir)
    const server = await startPostgres({ dir })
    try {
      expect(server.dataDir).toMatch(/^\/var\/lib\/rookery\//)
      expect(await query(server.url, 'select 1 as one')).toEqual([{ one: 1 }])
    } finally {
      await server.stop()
      rmSync(dirname(dirname(server.dataDir)), { recursive: true, force: true })
    }
  })
})
