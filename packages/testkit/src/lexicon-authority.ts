import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { buffer } from 'node:stream/consumers'

import { Secp256k1Keypair } from '@atproto/crypto'
import { MemoryBlockstore, Repo, WriteOpAction, getRecords } from '@atproto/repo'

/** Somebody who publishes lexicons: a did:web and its PDS, made by the reference implementation's libraries. */
export type LexiconAuthority = AsyncDisposable & {
  did: string
  /** Its DID document. */
  document: { id: string; [field: string]: unknown }
  /** Publishes a document under an NSID, in place of what was there. */
  publish(nsid: string, document: object): Promise<void>
  /** Paths of the PDS that were asked for. */
  requests: string[]
  /** Bends the answers of the PDS: a status, or other bytes. */
  bend: ((car: Buffer) => { status: number; body: Buffer } | undefined) | undefined
}

const collection = 'com.atproto.lexicon.schema'

/** Starts an authority on loopback. */
export async function startLexiconAuthority(): Promise<LexiconAuthority> {
  const key = await Secp256k1Keypair.create()
  const storage = new MemoryBlockstore()
  const server = createServer((request, response) => {
    answer(request.url!).then(
      ({ status, body }) => response.writeHead(status).end(body),
      () => response.writeHead(404).end(),
    )
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  const did = `did:web:localhost%3A${port}`
  const multikey = key.did().slice('did:key:'.length)
  let repo = await Repo.create(storage, did, key)
  const authority: LexiconAuthority = {
    did,
    document: {
      id: did,
      verificationMethod: [
        { id: `${did}#atproto`, type: 'Multikey', controller: did, publicKeyMultibase: multikey },
      ],
      service: [
        {
          id: '#atproto_pds',
          type: 'AtprotoPersonalDataServer',
          serviceEndpoint: `http://localhost:${port}`,
        },
      ],
    },
    publish: async (nsid, document) => {
      const isThere = (await repo.data.get(`${collection}/${nsid}`)) !== null
      const action = isThere ? WriteOpAction.Update : WriteOpAction.Create
      const record = { $type: collection, ...document }
      repo = await repo.applyWrites({ action, collection, rkey: nsid, record }, key)
    },
    requests: [],
    bend: undefined,
    [Symbol.asyncDispose]: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
  return authority

  async function answer(path: string): Promise<{ status: number; body: Buffer }> {
    const { pathname, searchParams } = new URL(path, 'http://localhost')
    if (pathname === '/.well-known/did.json') {
      return { status: 200, body: Buffer.from(JSON.stringify(authority.document)) }
    }
    authority.requests.push(path)
    const rkey = searchParams.get('rkey') ?? ''
    if ((await repo.data.get(`${collection}/${rkey}`)) === null) return { status: 400, body: Buffer.alloc(0) }
    const car = await buffer(getRecords(storage, repo.cid, [{ collection, rkey }]))
    return authority.bend?.(car) ?? { status: 200, body: car }
  }
}
