import { bundledLexicons } from '@rookery/lexicon'
import { must } from '@rookery/std'
import fc, { type Arbitrary } from 'fast-check'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'

import { attempts } from '../isolation-cases.ts'
import { type Answer, type CallOptions, TestApi } from '../test-api.ts'
import { LexiconValues } from './lexicon-values.ts'
import { runsOfEach, seed } from './seed.ts'

const collection = 'app.bsky.feed.post'

let api: TestApi
beforeAll(async () => {
  api = await TestApi.start()
})
afterAll(() => api[Symbol.asyncDispose]())

/** Methods that wait for a worker, of which there is none here: their bytes are tried in the package that reads them. */
const waiting = ['com.atproto.repo.importRepo']
const lexicons = bundledLexicons()
const methods = Object.keys(attempts).filter(
  (nsid) => lexicons.methodOf(nsid) !== undefined && !waiting.includes(nsid),
)

describe(`seed ${seed}`, () => {
  test.each(methods)('%s answers every input with less than 500', async (nsid) => {
    const { values, callers } = await fresh(nsid)
    const { type, inputEncoding } = must(lexicons.methodOf(nsid))
    const body = bodies(values, nsid, inputEncoding)
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom(...callers),
        values.params(nsid),
        body,
        async (caller, params, input) => {
          const url = `/xrpc/${nsid}?${queryOf(params)}`
          const answer =
            type === 'query'
              ? await api.request({ method: 'GET', url }, caller)
              : await api.request(
                  { method: 'POST', url, payload: input.payload },
                  withType(caller, input.type),
                )
          expect(problemOf(answer)).toBeUndefined()
        },
      ),
      { numRuns: runsOfEach, seed },
    )
  })
})

/** Returns what is wrong with an answer. What is beyond this process may fail; the process itself may not. */
function problemOf({ status, body }: Answer): string | undefined {
  const isOthersFault = ['UpstreamFailure', 'UpstreamTimeout', 'NotEnoughResources'].includes(body?.error)
  const isError = typeof body?.error === 'string' && typeof body.message === 'string'
  const isFine = status < 400 || (isError && (status < 500 || isOthersFault))
  return isFine ? undefined : `${status} ${JSON.stringify(body)}`
}

/** Returns an account of the method's own, who may call in its name, and values that know of it. */
async function fresh(nsid: string): Promise<{ values: LexiconValues; callers: CallOptions[] }> {
  const name = `fuzz${methods.indexOf(nsid)}`
  const { did, handle, accessJwt, refreshJwt } = await api.signUp(name)
  const record = { $type: collection, text: 'words', createdAt: '2026-01-01T00:00:00.000Z' }
  const input = { repo: did, collection, record }
  const { body } = await api.post('com.atproto.repo.createRecord', input, { token: accessJwt })
  const known = {
    did,
    handle,
    email: `${name}@mail.test`,
    cid: body.cid,
    rkey: body.uri.split('/').at(-1),
    collection,
  }
  const values = new LexiconValues(lexicons, known)
  return { values, callers: [{}, { token: accessJwt }, { token: refreshJwt }, { admin: true }] }
}

type Body = { payload: string | Buffer; type: string | undefined }

function bodies(values: LexiconValues, nsid: string, encoding: string | undefined): Arbitrary<Body> {
  const type = fc.constantFrom(encoding, 'application/json', 'text/plain', '*/*', 'x', undefined)
  const bytes = fc.record({
    payload: fc.uint8Array({ maxLength: 2_000 }).map((each) => Buffer.from(each)),
    type,
  })
  const input = values.input(nsid)
  if (input === undefined) return bytes
  const json = input.map((value) => ({ payload: JSON.stringify(value) ?? '', type: 'application/json' }))
  return fc.oneof({ weight: 12, arbitrary: json }, { weight: 1, arbitrary: bytes })
}

function withType(caller: CallOptions, type: string | undefined): CallOptions {
  return type === undefined ? caller : { ...caller, headers: { 'content-type': type } }
}

function queryOf(params: Record<string, unknown>): string {
  const query = new URLSearchParams()
  for (const [name, value] of Object.entries(params ?? {})) {
    for (const one of [value].flat())
      query.append(name, typeof one === 'string' ? one : (JSON.stringify(one) ?? ''))
  }
  return query.toString()
}
