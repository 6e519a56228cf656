import type { Acknowledged, WriterLoad } from './writer-load.ts'

/** Returns the writes that were acknowledged and whose records are not listed. */
export async function missingRecords(url: string, load: WriterLoad): Promise<Acknowledged[]> {
  const acknowledged = [...load.acknowledged]
  const missing: Acknowledged[] = []
  for (const did of load.dids) {
    const cids = await listedCids(url, did)
    missing.push(...acknowledged.filter((write) => write.did === did && cids.get(write.uri) !== write.cid))
  }
  return missing
}

async function listedCids(url: string, did: string): Promise<Map<string, string>> {
  const cids = new Map<string, string>()
  let cursor = ''
  do {
    const query = new URLSearchParams({ repo: did, collection: 'app.bsky.feed.post', limit: '100', cursor })
    if (cursor === '') query.delete('cursor')
    const response = await fetch(`${url}/xrpc/com.atproto.repo.listRecords?${query.toString()}`)
    const page = (await response.json()) as { records: { uri: string; cid: string }[]; cursor?: string }
    for (const record of page.records) cids.set(record.uri, record.cid)
    cursor = page.records.length === 0 ? '' : (page.cursor ?? '')
  } while (cursor !== '')
  return cids
}
