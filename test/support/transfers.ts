/** Requests that take seconds, one after the other until told to stop: what a process that is replaced has running. */
import { createHash } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'

/** How long each upload and each export takes, in milliseconds: most of what a process has for its last requests. */
const transferMs = 3_000
const steps = 30
const uploadBytes = 1_024 * 1_024

/** Who makes the requests, and where. */
export type Client = { url: string; did: string; token: string }

/** One kind of request, made again and again without a pause: at any time one is under way. */
export class Transfers implements AsyncDisposable {
  /** What every one was answered. */
  readonly answers = new Map<string, number>()
  readonly #running: Promise<void>
  #isStopped = false

  /** @param transfer makes one request and returns what came of it, in a word. */
  constructor(transfer: () => Promise<string>) {
    this.#running = this.#run(transfer)
  }

  /** Begins no further one; resolves when the last has ended. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#isStopped = true
    await this.#running
  }

  async #run(transfer: () => Promise<string>): Promise<void> {
    while (!this.#isStopped) {
      const answer = await transfer().catch((error: unknown) => `failed: ${String(error)}`)
      this.answers.set(answer, (this.answers.get(answer) ?? 0) + 1)
    }
  }
}

/** Uploads a blob, a little at a time; returns status and CID. */
export async function slowUpload({ url, token }: Client): Promise<string> {
  const part = new Uint8Array(uploadBytes / steps)
  async function* parts() {
    for (let n = 0; n < steps; n++) {
      yield part
      await sleep(transferMs / steps)
    }
  }
  const response = await fetch(`${url}/xrpc/com.atproto.repo.uploadBlob`, {
    method: 'POST',
    headers: { 'content-type': 'application/octet-stream', authorization: `Bearer ${token}` },
    body: ReadableStream.from(parts()),
    duplex: 'half',
  })
  const body = (await response.json()) as { blob?: { ref: { $link: string } } }
  return `${response.status} ${body.blob?.ref.$link ?? JSON.stringify(body)}`
}

/** Reads a repo, a little at a time; returns status, size and hash. */
export async function slowExport({ url, did }: Client, pauseMs = transferMs / steps): Promise<string> {
  const response = await fetch(`${url}/xrpc/com.atproto.sync.getRepo?did=${did}`)
  const hash = createHash('sha256')
  let size = 0
  let isSlow = true
  const startMs = performance.now()
  for await (const chunk of response.body ?? []) {
    hash.update(chunk)
    size += chunk.length
    isSlow &&= performance.now() - startMs < transferMs
    if (isSlow) await sleep(pauseMs)
  }
  return `${response.status} ${size} ${hash.digest('hex')}`
}

/** Asks for what another service answers; returns status and body. */
export async function proxied({ url, token }: Client): Promise<string> {
  const response = await fetch(`${url}/xrpc/app.bsky.graph.getMutes`, {
    headers: { authorization: `Bearer ${token}` },
  })
  return `${response.status} ${await response.text()}`
}

/** Replaces a repo by the bytes of an export; returns the status. */
export async function importRepo({ url, token }: Client, car: Blob): Promise<string> {
  const response = await fetch(`${url}/xrpc/com.atproto.repo.importRepo`, {
    method: 'POST',
    headers: { 'content-type': 'application/vnd.ipld.car', authorization: `Bearer ${token}` },
    body: car,
  })
  return `${response.status} ${await response.text()}`
}
