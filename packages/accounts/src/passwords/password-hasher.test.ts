import { scryptSync } from 'node:crypto'
import { stat } from 'node:fs/promises'

import { hash } from '@node-rs/argon2'
import { describe, expect, test } from 'vitest'

import { PasswordQueueFullError } from '../errors.ts'
import { passwordQueueMax } from '../limits.ts'
import { PasswordHasher } from './password-hasher.ts'

const fastParameters = { memoryCost: 8, timeCost: 1, parallelism: 1 }

describe('PasswordHasher', () => {
  test('stores argon2id with the parameters of the design and recognises the password', async () => {
    const hasher = new PasswordHasher(2)
    const stored = await hasher.hash('correct horse')
    expect(stored).toMatch(/^\$argon2id\$v=19\$m=19456,t=2,p=1\$/)
    expect(await hasher.verify(stored, 'correct horse')).toEqual({ matches: true, needsRehash: false })
    expect(await hasher.verify(stored, 'correct house')).toEqual({ matches: false, needsRehash: false })
  })

  test('takes the scrypt form of the reference PDS and asks for it to be replaced', async () => {
    const salt = '0123456789abcdef0123456789abcdef'
    const stored = `${salt}:${scryptSync('old password', salt, 64).toString('hex')}`
    const hasher = new PasswordHasher(1)
    expect(await hasher.verify(stored, 'old password')).toEqual({ matches: true, needsRehash: true })
    expect((await hasher.verify(stored, 'other password')).matches).toBe(false)
  })

  test('asks for a weak argon2 hash to be replaced', async () => {
    const stored = await hash('password', fastParameters)
    expect(await new PasswordHasher(1).verify(stored, 'password')).toEqual({
      matches: true,
      needsRehash: true,
    })
  })

  test('never matches without a stored hash', async () => {
    const hasher = new PasswordHasher(1)
    expect(await hasher.verify(undefined, 'no account has this password')).toEqual({
      matches: false,
      needsRehash: false,
    })
    expect((await hasher.verify(null, '')).matches).toBe(false)
  })

  test('refuses the call after passwordQueueMax waiting ones, and serves all those before it', async () => {
    const stored = await hash('password', fastParameters)
    const hasher = new PasswordHasher(1)
    const calls = Array.from({ length: passwordQueueMax + 1 }, () => hasher.verify(stored, 'password'))
    await expect(hasher.verify(stored, 'password')).rejects.toThrow(PasswordQueueFullError)
    const checks = await Promise.all(calls)
    expect(checks.every(({ matches }) => matches)).toBe(true)
    expect((await hasher.verify(stored, 'password')).matches).toBe(true)
  })

  test('a wave of sign-ins leaves threads to others', async () => {
    const hasher = new PasswordHasher(2)
    let done = 0
    const wave = Array.from({ length: 2 + passwordQueueMax }, async () => {
      await hasher.verify(undefined, 'password')
      done++
    })
    // Needs a thread of the pool that the wave hashes on, and gets it before the wave is over.
    await stat(import.meta.filename)
    expect(done).toBeLessThan(wave.length)
    await Promise.all(wave)
  })

  test('a failing hash gives its place to the next', async () => {
    const hasher = new PasswordHasher(1)
    await expect(hasher.verify('not a hash', 'password')).rejects.toThrow('Decoding failed')
    expect(await hasher.hash('password')).toMatch(/^\$argon2id/)
  })
})
