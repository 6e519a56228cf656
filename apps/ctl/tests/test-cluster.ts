import { randomBytes } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { inTransaction } from '@rookery/db'
import { createAskServer } from '@rookery/http'
import { KeyWrapper, PlcClient, PlcIdentities, SigningKeys } from '@rookery/identity'
import { type PlcDirectory, startPlc } from '@rookery/local'
import { type RecordWrite, RepoWriter, createRepo, processTidClock, repoSigner } from '@rookery/records'
import { must } from '@rookery/std'
import { cidForCbor, encodeData } from '@rookery/syntax'
import { type TestDatabase, type TestRedis, createTestDatabase, testRedis } from '@rookery/testkit'

import { runCtl } from '../src/app.ts'

/** What a call of ctl ended with. */
export type CtlRun = { code: number; out: string; err: string }

/** An account with its DID, key and repo. */
export type TestAccount = { id: number; did: string; hostId: number }

const key = (): string => randomBytes(32).toString('hex')

/** Database, Redis, PLC directory and a directory for blobs, with the host `pds.people.com` of the tenant `people`. */
export class TestCluster implements AsyncDisposable {
  readonly db: TestDatabase
  readonly redis: TestRedis
  readonly plc: PlcDirectory
  readonly directory: string
  readonly wrapKey = key()
  readonly plcKey = key()
  readonly #stack: AsyncDisposableStack

  private constructor(
    parts: Pick<TestCluster, 'db' | 'redis' | 'plc' | 'directory'>,
    stack: AsyncDisposableStack,
  ) {
    this.db = parts.db
    this.redis = parts.redis
    this.plc = parts.plc
    this.directory = parts.directory
    this.#stack = stack
  }

  /** What is on standard input. */
  input = ''

  static async start(): Promise<TestCluster> {
    await using stack = new AsyncDisposableStack()
    const directory = mkdtempSync(join(tmpdir(), 'rookery-ctl-'))
    stack.defer(() => rmSync(directory, { recursive: true }))
    const db = stack.use(await createTestDatabase())
    const redis = stack.use(await testRedis())
    const plc = stack.use(await startPlc({ file: join(directory, 'plc.jsonl') }))
    const cluster = new TestCluster({ db, redis, plc, directory }, stack.move())
    await cluster.json('tenant', 'create', 'people', '--name', 'People')
    await cluster.json('host', 'create', 'pds.people.com', '--tenant', 'people')
    await cluster.json('domain', 'add', '.people.com', '--host', 'pds.people.com', '--tenant', 'people')
    return cluster
  }

  /** Runs ctl. */
  ctl(...argv: string[]): Promise<CtlRun> {
    return this.ctlWith({}, ...argv)
  }

  /** Runs ctl with other variables. */
  async ctlWith(env: Record<string, string>, ...argv: string[]): Promise<CtlRun> {
    let [out, err] = ['', '']
    const code = await runCtl(argv, {
      out: (text) => (out += text),
      err: (text) => (err += text),
      input: () => Promise.resolve(this.input),
      env: {
        ROOKERY_DATABASE_URL: this.db.url,
        ROOKERY_REDIS_URL: this.redis.url,
        ROOKERY_REDIS_PREFIX: this.redis.prefix,
        ROOKERY_PLC_URL: this.plc.url,
        ROOKERY_KEY_ENCRYPTION_KEY: this.wrapKey,
        ROOKERY_PLC_ROTATION_KEY: this.plcKey,
        ROOKERY_BLOBS_DRIVER: 'disk',
        ROOKERY_BLOBS_DIRECTORY: join(this.directory, 'blobs'),
        ROOKERY_DEV_ALLOW_PRIVATE_NETWORK: 'true',
        // Nobody listens there.
        ROOKERY_IDENTITY_NAMESERVERS: '127.0.0.1:9',
        ...env,
      },
    })
    return { code, out, err }
  }

  /** Runs ctl, requires that it succeeds, and returns what it printed as JSON. */
  async json(...argv: string[]): Promise<any> {
    const { code, out, err } = await this.ctl(...argv, '--json')
    if (code !== 0 || err !== '') throw new Error(`ctl ${argv.join(' ')} ended with ${code}: ${err}`)
    return JSON.parse(out)
  }

  /** The cluster's identities, or those that another rotation key would see. */
  identities(rotationKey: string = this.plcKey): PlcIdentities {
    const client = new PlcClient(this.plc.url, createAskServer())
    return new PlcIdentities({ client, rotationKey })
  }

  get signingKeys(): SigningKeys {
    return new SigningKeys({
      db: this.db.database,
      wrapper: new KeyWrapper([Buffer.from(this.wrapKey, 'hex')]),
    })
  }

  /** Makes an account `<name>.people.com` with its key, DID and repo; of its own did:web the document is not ours. */
  async addAccount(name: string, didWeb?: string): Promise<TestAccount> {
    const made = this.signingKeys.create()
    const wanted = {
      handle: `${name}.people.com`,
      signingKey: made.signer.didKey,
      pdsUrl: 'https://pds.people.com',
    }
    const did = didWeb ?? (await this.#mint(wanted))
    return inTransaction(this.db.pool, async (tx) => {
      const { rows } = await tx.query<{ id: number; host_id: number }>(
        `insert into account (host_id, tenant_id, did, handle, email)
         select id, default_tenant_id, $1, $2, $3 from host where hostname = 'pds.people.com' returning id, host_id`,
        [did, wanted.handle, `${name}@people.com`],
      )
      const { id, host_id: hostId } = must(rows[0])
      await made.store(tx, { id, did })
      const sign = (bytes: Uint8Array): Uint8Array => made.signer.sign(bytes)
      await createRepo(tx, { accountId: id, hostId, did, status: 'active', sign, clock: processTidClock() })
      return { id, did, hostId }
    })
  }

  async #mint(wanted: Parameters<PlcIdentities['mint']>[0]): Promise<string> {
    const { did, register } = await this.identities().mint(wanted)
    await register()
    return did
  }

  /** Writes small records to a repo, one commit each. */
  async write(account: TestAccount, texts: readonly string[]): Promise<void> {
    const collection = 'com.example.note'
    for (const text of texts) {
      const bytes = encodeData({ $type: collection, text })
      const record = { collection, rkey: text, cid: cidForCbor(bytes), bytes, link: undefined, blobs: [] }
      await this.commit(account, [{ action: 'create', ...record }])
    }
  }

  /** Commits to a repo, as an api process does. */
  async commit({ id, did }: TestAccount, writes: readonly RecordWrite[]): Promise<void> {
    await using writer = new RepoWriter({
      pool: this.db.pool,
      clock: processTidClock(),
      signerFor: repoSigner(this.signingKeys),
      onStored: () => {},
      onCompactionDue: () => {},
      onError: (error) => {
        throw error
      },
    })
    await writer.commit({ accountId: id, did }, () => writes)
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#stack.disposeAsync()
  }
}
