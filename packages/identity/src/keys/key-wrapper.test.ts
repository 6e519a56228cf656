import { randomBytes } from 'node:crypto'

import { describe, expect, test } from 'vitest'

import { UnwrapFailedError } from '../errors.ts'
import { KeyWrapper } from './key-wrapper.ts'

const first = randomBytes(32)
const second = randomBytes(32)
const privateKey = randomBytes(32)
const owner = 'did:plc:alice'

// SPEC CR-4
describe('KeyWrapper', () => {
  test('unwraps what it wrapped, and wraps the same key differently each time', () => {
    const wrapper = new KeyWrapper([first])
    const envelope = wrapper.wrap(privateKey, owner)
    expect(wrapper.unwrap(envelope, owner)).toEqual(privateKey)
    expect(wrapper.wrap(privateKey, owner)).not.toEqual(envelope)
    expect(envelope.includes(privateKey)).toBe(false)
  })

  test('a key does not unwrap for another account', () => {
    const wrapper = new KeyWrapper([first])
    const envelope = wrapper.wrap(privateKey, owner)
    expect(() => wrapper.unwrap(envelope, 'did:plc:bob')).toThrow(UnwrapFailedError)
  })

  test('every byte of the envelope counts', () => {
    const wrapper = new KeyWrapper([first])
    const envelope = wrapper.wrap(privateKey, owner)
    for (let at = 0; at < envelope.length; at++) {
      const altered = Buffer.from(envelope)
      altered[at] = (altered[at] ?? 0) ^ 1
      expect(() => wrapper.unwrap(altered, owner)).toThrow(UnwrapFailedError)
    }
    expect(() => wrapper.unwrap(envelope.subarray(0, 37), owner)).toThrow(UnwrapFailedError)
  })

  test('a new wrapping key takes over while the old one still unwraps', () => {
    const old = new KeyWrapper([first])
    const envelope = old.wrap(privateKey, owner)
    const rotated = new KeyWrapper([second, first])
    expect(rotated.unwrap(envelope, owner)).toEqual(privateKey)
    expect(rotated.standingOf(envelope.toString('hex', 1, 9))).toBe('previous')
    const renewed = rotated.wrap(privateKey, owner)
    expect(rotated.standingOf(renewed.toString('hex', 1, 9))).toBe('current')
    expect(old.standingOf(renewed.toString('hex', 1, 9))).toBe('unknown')
    expect(() => old.unwrap(renewed, owner)).toThrow('not configured')
  })
})
