import { randomBytes } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { loadConfig } from '@rookery/config'
import { type SafeFetch, createAskServer } from '@rookery/http'
import { IdentityResolver } from '@rookery/identity'
import { bundledLexicons } from '@rookery/lexicon'
import { type CaughtMail, type MailCatcher, startMailCatcher } from '@rookery/local'
import { Mailer, answerPasswordReset, deliverMail } from '@rookery/mail'
import type { JobPayload } from '@rookery/jobs'
import { createLogger } from '@rookery/telemetry'
import {
  HostDirectory,
  type TenantSettingsInput,
  addHandleDomain,
  createHost,
  createTenant,
  updateTenant,
} from '@rookery/tenants'
import { type TestDatabase, createTestBlobStore, createTestDatabase, testRedis } from '@rookery/testkit'
import type { FastifyInstance, InjectOptions } from 'fastify'

import { buildApi } from '../src/app.ts'
import { type ApiDeps, createApiDeps } from '../src/deps.ts'
import { OAuthProviders } from '../src/oauth/providers.ts'
import { TestPlc } from './test-plc.ts'

/** An answer, its body parsed if it is JSON. */
export type Answer = { status: number; body: any; headers: Record<string, unknown> }

/** Credentials of a call: a token, or a whole header. */
export type CallOptions = {
  token?: string
  admin?: boolean
  headers?: Record<string, string>
  host?: string
  pod?: number
}

const tokenForm = /[A-Z2-7]{5}-[A-Z2-7]{5}/
const adminPassword = 'operator-password'

/**
 * Two api pods on one database, Redis and PLC directory, without a network of their own. Hosts: `one.test` with the
 * tenant `one` (`.one.test`) and the invite-only tenant `club` (`.club.test`), and `two.test` with `two` (`.two.test`).
 */
export class TestApi implements AsyncDisposable {
  readonly db: TestDatabase
  readonly plc: TestPlc
  readonly pods: { app: FastifyInstance; deps: ApiDeps }[]
  /** TXT records of the world outside, by name. */
  readonly dns: Map<string, string[]>
  /** JSON that answers there by HTTPS, by URL, or what makes it of the body that was sent. */
  readonly web: Map<string, unknown>
  readonly #mail: MailCatcher
  readonly #stack: AsyncDisposableStack

  private constructor(
    db: TestDatabase,
    plc: TestPlc,
    mail: MailCatcher,
    pods: { app: FastifyInstance; deps: ApiDeps }[],
    world: { dns: Map<string, string[]>; web: Map<string, unknown> },
    stack: AsyncDisposableStack,
  ) {
    this.dns = world.dns
    this.web = world.web
    this.db = db
    this.plc = plc
    this.#mail = mail
    this.pods = pods
    this.#stack = stack
  }

  /** @param env variables that differ from those of most tests, which have no rate limits. */
  static async start(env: Record<string, string> = {}): Promise<TestApi> {
    await using stack = new AsyncDisposableStack()
    const db = stack.use(await createTestDatabase({ poolMax: 20 }))
    const redis = stack.use(await testRedis())
    const { store: blobs } = stack.use(await createTestBlobStore('disk'))
    const directory = mkdtempSync(join(tmpdir(), 'rookery-api-'))
    stack.defer(() => rmSync(directory, { recursive: true }))
    const plc = stack.use(await TestPlc.start(join(directory, 'plc.jsonl')))
    const mail = stack.use(await startMailCatcher())
    await seed(db)
    const config = loadConfig(['api'], {
      ROOKERY_DATABASE_URL: db.url,
      ROOKERY_REDIS_URL: redis.url,
      ROOKERY_REDIS_PREFIX: redis.prefix,
      ROOKERY_PLC_URL: plc.url,
      ROOKERY_PLC_ROTATION_KEY: randomBytes(32).toString('hex'),
      ROOKERY_KEY_ENCRYPTION_KEY: randomBytes(32).toString('hex'),
      ROOKERY_JWT_SECRET: randomBytes(32).toString('hex'),
      ROOKERY_ADMIN_PASSWORD: adminPassword,
      ROOKERY_DEV_ALLOW_PRIVATE_NETWORK: 'true',
      ROOKERY_LIMITS_RATE: 'off',
      // Nobody listens there: what a test wants to be found by DNS goes into `dns`, or to a nameserver of its own.
      ROOKERY_IDENTITY_NAMESERVERS: '127.0.0.1:9',
      ...env,
    })
    const log = createLogger('api', process.env['TEST_LOG_LEVEL'] ?? 'silent')
    const lexicons = bundledLexicons()
    const world = { dns: new Map<string, string[]>(), web: new Map<string, unknown>() }
    const pods = []
    for (let pod = 0; pod < 2; pod++) {
      const hosts = stack.use(new HostDirectory(log, db.database.kysely))
      await hosts.refresh()
      const connections = {
        config,
        log,
        db: db.database,
        exportPool: db.pool,
        redis: redis.redis,
        blobs,
        directory: hosts,
        lexicons,
      }
      const built = createApiDeps(connections)
      const known = { ...built, identities: resolverOf(built, world) }
      const outside = { fetch: webFetch(world.web), secret: config.auth.jwtSecret }
      const deps = { ...known, oauth: new OAuthProviders({ ...known, ...outside }) }
      stack.use(deps.writer)
      stack.use(deps.upstream)
      const app = await buildApi(deps)
      app.addHook('onRequest', (request, _reply, done) => {
        // What is injected comes from no port.
        if (request.raw.socket.remotePort === undefined)
          Object.assign(request.raw.socket, { remotePort: 50_000 })
        done()
      })
      stack.defer(() => app.close())
      pods.push({ app, deps })
    }
    return new TestApi(db, plc, mail, pods, world, stack.move())
  }

  /** Calls a query. */
  get(nsid: string, params: Record<string, string> = {}, options: CallOptions = {}): Promise<Answer> {
    const query = new URLSearchParams(params).toString()
    return this.request({ method: 'GET', url: `/xrpc/${nsid}${query === '' ? '' : `?${query}`}` }, options)
  }

  /** Calls a procedure. */
  post(nsid: string, input?: object, options: CallOptions = {}): Promise<Answer> {
    const body = input === undefined ? {} : { payload: input }
    return this.request({ method: 'POST', url: `/xrpc/${nsid}`, ...body }, options)
  }

  /** Sends any request, to `one.test` and the first pod unless told otherwise. */
  async request(request: InjectOptions, options: CallOptions = {}): Promise<Answer> {
    const { token, admin, headers, host = 'one.test', pod = 0 } = options
    const basic = `Basic ${Buffer.from(`admin:${adminPassword}`).toString('base64')}`
    const answer = await this.pods[pod]!.app.inject({
      ...request,
      headers: {
        host,
        ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
        ...(admin === true ? { authorization: basic } : {}),
        ...headers,
      },
    })
    const isJson = answer.body !== '' && String(answer.headers['content-type']).startsWith('application/json')
    return { status: answer.statusCode, body: isJson ? answer.json() : answer.body, headers: answer.headers }
  }

  /** Signs somebody up under `.one.test` and returns the session. */
  async signUp(name: string, change: object = {}, options: CallOptions = {}): Promise<any> {
    const input = {
      handle: `${name}.one.test`,
      email: `${name}@mail.test`,
      password: `${name}-pass`,
      ...change,
    }
    const answer = await this.post('com.atproto.server.createAccount', input, options)
    if (answer.status !== 200) throw new Error(`sign-up of ${name}: ${JSON.stringify(answer.body)}`)
    return answer.body
  }

  /** Lets the first pod listen and returns its origin: a third host, of the tenant `one`, with the domain `.open.test`. */
  async listen(): Promise<string> {
    const { port } = new URL(await this.pods[0]!.app.listen({ port: 0, host: '127.0.0.1' }))
    const hostname = `localhost:${port}`
    await createHost(this.db.database.kysely, { hostname, tenant: 'one' })
    await addHandleDomain(this.db.database.kysely, { domain: '.open.test', hostname, tenant: 'one' })
    await this.#refresh()
    return `http://${hostname}`
  }

  /** Changes a tenant's settings, in force on every pod. */
  async set(tenant: string, settings: TenantSettingsInput): Promise<void> {
    await updateTenant(this.db.database.kysely, tenant, { settings })
    await this.#refresh()
  }

  /** Does the jobs in the outbox that lead to mail, as a worker would, and returns all mail to the address, oldest first. */
  async mails(address: string): Promise<CaughtMail[]> {
    const { deps } = this.pods[0]!
    using mailer = new Mailer({ log: deps.log, url: this.#mail.smtpUrl, from: 'Test <noreply@one.test>' })
    const resets = await this.db.pool.query<{ payload: JobPayload<'password-reset'> }>(
      `delete from job_outbox where queue = 'password-reset' returning payload`,
    )
    for (const { payload } of resets.rows) {
      await answerPasswordReset({ tx: this.db.pool, directory: deps.directory }, payload)
    }
    const { rows } = await this.db.pool.query<{ id: number; payload: JobPayload<'mail'> }>(
      `delete from job_outbox where queue = 'mail' returning id, payload`,
    )
    const { directory } = deps
    for (const job of rows.toSorted((a, b) => a.id - b.id)) {
      const worker = { db: this.db.database, directory, mailer, moderationFrom: undefined }
      await deliverMail(worker, { ...job, attempt: 1 })
    }
    const mails = (await (await fetch(this.#mail.mailUrl)).json()) as CaughtMail[]
    return mails.filter(({ to }) => to.includes(address))
  }

  /** Does the mail jobs and returns the token in the last mail to the address that has one. */
  async mailedToken(address: string): Promise<string> {
    const text = (await this.mails(address)).findLast(({ text }) => tokenForm.test(text))?.text ?? ''
    const token = tokenForm.exec(text)?.[0]
    if (token === undefined) throw new Error(`no token was mailed to ${address}`)
    return token
  }

  /** Kinds of the account's events, in the order in which they were appended. */
  async events(did: string): Promise<string[]> {
    const { rows } = await this.db.pool.query<{ kind: string }>(
      `select kind from event_queue where account_id in (select account_id from repo where did = $1) order by id`,
      [did],
    )
    return rows.map(({ kind }) => kind)
  }

  async #refresh(): Promise<void> {
    await Promise.all(this.pods.map(({ deps }) => deps.directory.refresh()))
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#stack.disposeAsync()
  }
}

/** The resolver as it is, but for the network: the PLC directory is all that there is, besides `dns` and `web`. */
function resolverOf(
  deps: ApiDeps,
  { dns, web }: { dns: Map<string, string[]>; web: Map<string, unknown> },
): IdentityResolver {
  const { log, redis, keys, config } = deps
  return new IdentityResolver({
    log,
    redis,
    keys,
    sources: {
      fetch: webFetch(web),
      askPlc: createAskServer(),
      plcUrl: config.identity.plcUrl,
      allowPrivateNetwork: true,
      resolveTxt: (name) => Promise.resolve((dns.get(name) ?? []).map((text) => [text])),
    },
    cacheStaleMs: config.identity.cacheStaleMs,
    cacheMaxMs: config.identity.cacheMaxMs,
  })
}

function webFetch(web: Map<string, unknown>): SafeFetch {
  return (input, init) => {
    const url = input instanceof Request ? input.url : String(input)
    if (!web.has(url)) return Promise.reject(new Error('nothing answers there'))
    const found = web.get(url)
    return Promise.resolve(Response.json(typeof found === 'function' ? found(init?.body) : found))
  }
}

async function seed({ database: { kysely: db } }: TestDatabase): Promise<void> {
  for (const slug of ['one', 'two']) {
    await createTenant(db, { slug, name: `Tenant ${slug}` })
    await createHost(db, { hostname: `${slug}.test`, tenant: slug })
    await addHandleDomain(db, { domain: `.${slug}.test`, hostname: `${slug}.test`, tenant: slug })
  }
  await createTenant(db, { slug: 'club', name: 'Club', settings: { inviteRequired: true } })
  await addHandleDomain(db, { domain: '.club.test', hostname: 'one.test', tenant: 'club' })
}
