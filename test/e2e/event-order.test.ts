import { changeAccountStatus } from '@rookery/accounts'
import { Pool } from 'pg'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'

import { type Stack, type StackFile, startStack } from '../support/stack.ts'
import { type Message, Subscriber } from '../support/subscriber.ts'
import { until } from '../support/until.ts'

// SPEC §5, "Emission order": what each trigger puts on the firehose, and what puts nothing there.

let stack: Stack
let file: StackFile
let pool: Pool
let streams: Subscriber[]
let fences: Person[]

beforeAll(async () => {
  stack = await startStack()
  file = await stack.read()
  pool = new Pool({ connectionString: file.databaseUrl, max: 2 })
  streams = file.hosts.map(({ url }) => new Subscriber(url, { cursor: 0 }))
  fences = [await signUp('fence0'), await signUp('fence1', 1)]
}, 240_000)

afterAll(async () => {
  for (const stream of streams) await stream[Symbol.asyncDispose]()
  await pool.end()
  await stack[Symbol.asyncDispose]()
}, 90_000)

type Answer = Record<string, any>
type Call = { token?: string; admin?: boolean; host?: number; query?: Record<string, string>; body?: Buffer }
type Person = { name: string; did: string; handle: string; host: number; token: string }

const repo = 'com.atproto.repo'
const server = 'com.atproto.server'
const identity = 'com.atproto.identity'
const admin = 'com.atproto.admin'
const collection = 'org.example.note'
const passwordOf = (name: string): string => `a quiet password of ${name}`

async function send(
  method: 'GET' | 'POST',
  nsid: string,
  input: object | undefined,
  call: Call,
): Promise<Response> {
  const { token, body, query = {}, host = 0 } = call
  const basic = Buffer.from(`admin:${file.adminPassword}`).toString('base64')
  const headers: Record<string, string> = {}
  if (token !== undefined) headers['authorization'] = `Bearer ${token}`
  if (call.admin === true) headers['authorization'] = `Basic ${basic}`
  if (input !== undefined) headers['content-type'] = 'application/json'
  if (body !== undefined)
    headers['content-type'] = nsid.endsWith('importRepo') ? 'application/vnd.ipld.car' : 'text/plain'
  return fetch(`${file.hosts[host]!.url}/xrpc/${nsid}?${new URLSearchParams(query).toString()}`, {
    method,
    headers,
    ...(input === undefined ? {} : { body: JSON.stringify(input) }),
    ...(body === undefined ? {} : { body: new Uint8Array(body) }),
  })
}

async function post(nsid: string, input: object | undefined, call: Call = {}): Promise<Answer> {
  const response = await send('POST', nsid, input, call)
  const text = await response.text()
  if (!response.ok) throw new Error(`${nsid}: ${response.status} ${text}`)
  return text === '' ? {} : (JSON.parse(text) as Answer)
}

async function get(nsid: string, call: Call): Promise<Answer> {
  return (await (await send('GET', nsid, undefined, call)).json()) as Answer
}

async function signUp(name: string, host = 0): Promise<Person> {
  const { availableUserDomains } = await get(`${server}.describeServer`, { host })
  const handle = `${name}${availableUserDomains[0]}`
  const input = { handle, email: `${name}@example.org`, password: passwordOf(name) }
  const { did, accessJwt: token } = await post(`${server}.createAccount`, input, { host })
  return { name, did, handle, host, token }
}

async function mailedToken(name: string): Promise<string> {
  const find = async (): Promise<string | undefined> => {
    const mails = (await (await fetch(file.mailUrl)).json()) as { to: string; text: string }[]
    const mail = mails.findLast(({ to }) => to.includes(`${name}@example.org`))
    return /[A-Z2-7]{5}-[A-Z2-7]{5}/.exec(mail?.text ?? '')?.[0]
  }
  return until(find, { what: `mail to ${name}` })
}

async function exported(person: Person): Promise<Buffer> {
  const { did, host, token } = person
  const response = await send('GET', 'com.atproto.sync.getRepo', undefined, { host, token, query: { did } })
  return Buffer.from(await response.arrayBuffer())
}

async function accountIdOf({ did, host }: Person): Promise<number> {
  const { rows } = await pool.query<{ id: string }>(
    'select account.id from account join host on host.id = host_id where did = $1 and hostname = $2',
    [did, file.hosts[host]!.hostname],
  )
  return Number(rows[0]!.id)
}

/** Returns the account's events on its host's stream up to now: those before an event that is made for that purpose. */
async function eventsOf({ did, host }: Pick<Person, 'did' | 'host'>): Promise<string[]> {
  const fence = fences[host]!
  const isFence = (message: Message): boolean => message.body['did'] === fence.did
  const stream = streams[host]!
  const before = stream.messages.filter(isFence).length
  await post(`${identity}.updateHandle`, { handle: fence.handle }, { host, token: fence.token })
  await until(() => stream.messages.filter(isFence).length > before, { what: 'the fence' })
  return stream.messages.filter(({ body }) => body['did'] === did || body['repo'] === did).map(describeEvent)
}

function describeEvent({ type, body }: Message): string {
  if (type === '#identity') return typeof body['handle'] === 'string' ? `#identity ${body['handle']}` : type
  if (type === '#account') return `#account ${body['active'] === true ? 'active' : String(body['status'])}`
  if (type === '#sync') return '#sync'
  const ops = (body['ops'] as { action: string }[]).map(({ action }) => action)
  return `#commit ${body['prevData'] === undefined ? 'first' : ops.join(' ')}`
}

/** Lets something happen to a person and returns the events that came of it. */
async function during(person: Pick<Person, 'did' | 'host'>, act: () => Promise<unknown>): Promise<string[]> {
  const before = await eventsOf(person)
  await act()
  return (await eventsOf(person)).slice(before.length)
}

type Step = [trigger: string, act: (person: Person) => Promise<unknown>, events: string[]]

const own = ({ token, host }: Person): Call => ({ token, host })
const byAdmin = ({ host }: Person): Call => ({ admin: true, host })
const subject = ({ did }: Person): object => ({ $type: 'com.atproto.admin.defs#repoRef', did })
const setStatus = (person: Person, change: object): Promise<Answer> =>
  post(`${admin}.updateSubjectStatus`, { subject: subject(person), ...change }, byAdmin(person))
const record = (text: string): object => ({ $type: collection, text, createdAt: '2026-01-01T00:00:00.000Z' })
const at = ({ did }: Person, rkey: string): object => ({ repo: did, collection, rkey })
const suspend = async (person: Person, suspended: boolean): Promise<unknown> =>
  changeAccountStatus({ db: { pool } }, await accountIdOf(person), { suspended })

const create = (rkey: string, text: string): object => ({
  $type: `${repo}.applyWrites#create`,
  collection,
  rkey,
  value: record(text),
})

const writes: Step[] = [
  [
    'createRecord',
    (p) => post(`${repo}.createRecord`, { ...at(p, 'a'), record: record('a') }, own(p)),
    ['#commit create'],
  ],
  [
    'putRecord of a new key',
    (p) => post(`${repo}.putRecord`, { ...at(p, 'b'), record: record('b') }, own(p)),
    ['#commit create'],
  ],
  [
    'putRecord',
    (p) => post(`${repo}.putRecord`, { ...at(p, 'b'), record: record('c') }, own(p)),
    ['#commit update'],
  ],
  [
    'putRecord of what is there',
    (p) => post(`${repo}.putRecord`, { ...at(p, 'b'), record: record('c') }, own(p)),
    [],
  ],
  [
    'applyWrites',
    (p) => {
      const remove = { $type: `${repo}.applyWrites#delete`, collection, rkey: 'a' }
      const input = { repo: p.did, writes: [create('d', 'd'), create('e', 'e'), remove] }
      return post(`${repo}.applyWrites`, input, own(p))
    },
    ['#commit create create delete'],
  ],
  ['deleteRecord', (p) => post(`${repo}.deleteRecord`, at(p, 'd'), own(p)), ['#commit delete']],
  ['deleteRecord of what is not there', (p) => post(`${repo}.deleteRecord`, at(p, 'd'), own(p)), []],
  [
    'a write that is refused',
    (p) => {
      const input = {
        ...at(p, 'f'),
        record: record('f'),
        swapCommit: 'bafyreie5737gdxlw5i64vzichcalba3z2v5n6icifvx5xytvske7mr3hpm',
      }
      return expect(post(`${repo}.createRecord`, input, own(p))).rejects.toThrow('InvalidSwap')
    },
    [],
  ],
  [
    'importRepo of an active account',
    async (p) => post(`${repo}.importRepo`, undefined, { ...own(p), body: await exported(p) }),
    ['#sync'],
  ],
  [
    'a write after it',
    (p) => post(`${repo}.createRecord`, { ...at(p, 'g'), record: record('g') }, own(p)),
    ['#commit create'],
  ],
]

const handles: Step[] = [
  [
    'updateHandle',
    (p) => post(`${identity}.updateHandle`, { handle: `x-${p.handle}` }, own(p)),
    ['#identity x-HANDLE'],
  ],
  [
    'updateHandle to the same',
    (p) => post(`${identity}.updateHandle`, { handle: `x-${p.handle}` }, own(p)),
    ['#identity x-HANDLE'],
  ],
  [
    'admin.updateAccountHandle',
    (p) => post(`${admin}.updateAccountHandle`, { did: p.did, handle: p.handle }, byAdmin(p)),
    ['#identity HANDLE'],
  ],
]

const returned = ['#identity HANDLE', '#account active', '#sync']
const restored = ['#account active', '#sync']
const statuses: Step[] = [
  ['activateAccount of an active account', (p) => post(`${server}.activateAccount`, undefined, own(p)), []],
  ['deactivateAccount', (p) => post(`${server}.deactivateAccount`, {}, own(p)), ['#account deactivated']],
  ['deactivateAccount again', (p) => post(`${server}.deactivateAccount`, {}, own(p)), []],
  [
    'importRepo while deactivated',
    async (p) => post(`${repo}.importRepo`, undefined, { ...own(p), body: await exported(p) }),
    [],
  ],
  [
    'takedown of a deactivated account',
    (p) => setStatus(p, { takedown: { applied: true } }),
    ['#account takendown'],
  ],
  [
    'reversal of that takedown',
    (p) => setStatus(p, { takedown: { applied: false } }),
    ['#account deactivated'],
  ],
  ['activateAccount', (p) => post(`${server}.activateAccount`, undefined, own(p)), returned],
  ['takedown', (p) => setStatus(p, { takedown: { applied: true, ref: 'case' } }), ['#account takendown']],
  ['the same takedown again', (p) => setStatus(p, { takedown: { applied: true, ref: 'case' } }), []],
  ['suspension of what is taken down', (p) => suspend(p, true), []],
  [
    'reversal of the takedown of a suspended account',
    (p) => setStatus(p, { takedown: { applied: false } }),
    ['#account suspended'],
  ],
  ['the end of a suspension', (p) => suspend(p, false), restored],
  ['suspension', (p) => suspend(p, true), ['#account suspended']],
  [
    'takedown of a suspended account',
    (p) => setStatus(p, { takedown: { applied: true } }),
    ['#account takendown'],
  ],
  ['the end of a suspension of what is taken down', (p) => suspend(p, false), []],
  ['reversal of a takedown', (p) => setStatus(p, { takedown: { applied: false } }), restored],
  [
    'deactivation by the operator',
    (p) => setStatus(p, { deactivated: { applied: true } }),
    ['#account deactivated'],
  ],
  ['activation by the operator', (p) => setStatus(p, { deactivated: { applied: false } }), returned],
  [
    'a write after all that',
    async (p) => {
      const { accessJwt: token } = await post(`${server}.createSession`, {
        identifier: p.did,
        password: passwordOf(p.name),
      })
      return post(`${repo}.createRecord`, { ...at(p, 'z'), record: record('z') }, { token })
    },
    ['#commit create'],
  ],
]

const silent: Step[] = [
  [
    'createSession',
    (p) => post(`${server}.createSession`, { identifier: p.handle, password: passwordOf(p.name) }),
    [],
  ],
  ['uploadBlob', (p) => post(`${repo}.uploadBlob`, undefined, { ...own(p), body: Buffer.from('text') }), []],
  ['reserveSigningKey', (p) => post(`${server}.reserveSigningKey`, { did: p.did }), []],
  [
    'getServiceAuth',
    (p) => get(`${server}.getServiceAuth`, { ...own(p), query: { aud: 'did:web:example.org' } }),
    [],
  ],
  [
    'requestEmailConfirmation and confirmEmail',
    async (p) => {
      await post(`${server}.requestEmailConfirmation`, undefined, own(p))
      const token = await mailedToken(p.name)
      return post(`${server}.confirmEmail`, { email: `${p.name}@example.org`, token }, own(p))
    },
    [],
  ],
  ['createAppPassword', (p) => post(`${server}.createAppPassword`, { name: 'app' }, own(p)), []],
  ['revokeAppPassword', (p) => post(`${server}.revokeAppPassword`, { name: 'app' }, own(p)), []],
  [
    'admin.updateAccountPassword',
    (p) => post(`${admin}.updateAccountPassword`, { did: p.did, password: passwordOf('new') }, byAdmin(p)),
    [],
  ],
  [
    'admin.updateAccountEmail',
    (p) =>
      post(`${admin}.updateAccountEmail`, { account: p.did, email: `new-${p.name}@example.org` }, byAdmin(p)),
    [],
  ],
]

describe.each([
  ['writes', writes],
  ['renamed', handles],
  ['statuses', statuses],
  ['silent', silent],
])('%s', (name, steps) => {
  let person: Person

  beforeAll(async () => {
    person = await signUp(name)
  })

  // SPEC SYN-13, IDN-13, IDN-16
  test.each(steps)('%s', async (_, act, events) => {
    const expected = events.map((event) => event.replace('HANDLE', person.handle))
    expect(await during(person, () => act(person))).toEqual(expected)
  })
})

// SPEC SYN-12
test('createAccount tells of the identity, the account and its first commit', async () => {
  const { handle, ...person } = await signUp('newcomer')
  expect(await eventsOf(person)).toEqual([`#identity ${handle}`, '#account active', '#commit first'])
})

describe('an account that moves', () => {
  let old: Person
  let moved: Person

  beforeAll(async () => {
    old = await signUp('mover')
    await post(`${repo}.createRecord`, { ...at(old, 'a'), record: record('a') }, own(old))
  })

  test('is not told of by createAccount and importRepo', async () => {
    const { hostname } = file.hosts[1]!
    const query = { aud: `did:web:${encodeURIComponent(hostname)}`, lxm: `${server}.createAccount` }
    const { token } = await get(`${server}.getServiceAuth`, { ...own(old), query })
    const { availableUserDomains } = await get(`${server}.describeServer`, { host: 1 })
    const handle = `mover${availableUserDomains[0]}`
    const input = { did: old.did, handle, email: 'moved@example.org', password: passwordOf('mover') }
    const events = await during({ did: old.did, host: 1 }, async () => {
      const { accessJwt } = await post(`${server}.createAccount`, input, { token, host: 1 })
      moved = { ...old, handle, host: 1, token: accessJwt }
      await post(`${repo}.importRepo`, undefined, { ...own(moved), body: await exported(old) })
    })
    expect(events).toEqual([])
  })

  test('is silent until submitPlcOperation, which says #identity on the new host', async () => {
    const credentials = await get(`${identity}.getRecommendedDidCredentials`, own(moved))
    let signed: Answer = {}
    const before = await during(old, async () => {
      await post(`${identity}.requestPlcOperationSignature`, undefined, own(old))
      const token = await mailedToken('mover')
      signed = await post(`${identity}.signPlcOperation`, { ...credentials, token }, own(old))
    })
    expect(before).toEqual([])
    const submit = (): Promise<Answer> => post(`${identity}.submitPlcOperation`, signed, own(moved))
    expect(await during(moved, submit)).toEqual([`#identity ${moved.handle}`])
  })

  test('is told of in full by activateAccount, and its next commit follows the #sync', async () => {
    const activate = (): Promise<Answer> => post(`${server}.activateAccount`, undefined, own(moved))
    expect(await during(moved, activate)).toEqual([`#identity ${moved.handle}`, '#account active', '#sync'])
    const write = (): Promise<Answer> =>
      post(`${repo}.createRecord`, { ...at(moved, 'b'), record: record('b') }, own(moved))
    expect(await during(moved, write)).toEqual(['#commit create'])
  })

  test('is deactivated on the old host, which says where it went', async () => {
    const deactivate = (): Promise<Answer> => post(`${server}.deactivateAccount`, {}, own(old))
    expect(await during(old, deactivate)).toEqual(['#account deactivated', '#identity'])
  })
})

describe('an account that is deleted', () => {
  test('by its owner, says so once and nothing after', async () => {
    const person = await signUp('leaver')
    await post(`${server}.requestAccountDelete`, undefined, own(person))
    const token = await mailedToken('leaver')
    const input = { did: person.did, password: passwordOf('leaver'), token }
    expect(await during(person, () => post(`${server}.deleteAccount`, input))).toEqual(['#account deleted'])
  })

  test('by the operator, too, and an account that is not there is not deleted', async () => {
    const person = await signUp('removed')
    const remove = (): Promise<Answer> => post(`${admin}.deleteAccount`, { did: person.did }, byAdmin(person))
    expect(await during(person, remove)).toEqual(['#account deleted'])
    expect(await during(person, () => expect(remove()).rejects.toThrow('deleteAccount: 400'))).toEqual([])
  })
})
