import type { RepoState, StrictRelay } from './strict-relay.ts'

type Answer = Record<string, unknown>
type Listed = { repos: { did: string; active: boolean }[]; cursor?: string }

/**
 * Compares what the stream has said with what the host answers now, once nothing is written any more; adds a finding
 * for each difference. The host's answers are those that anybody gets.
 */
export async function compareWithHost(relay: StrictRelay, url: string): Promise<void> {
  for (const [did, repo] of relay.repos) {
    const status = await ask(url, 'com.atproto.sync.getRepoStatus', { did })
    compareStatus(relay, did, repo, status)
    if (repo.status !== 'active' || repo.head === undefined) continue
    const { rev, cid } = await ask(url, 'com.atproto.sync.getLatestCommit', { did })
    if (rev === repo.head.rev && cid === repo.head.cid) continue
    relay.note('head', did, `the host has ${String(rev)}, the stream had ${repo.head.rev}`)
  }
  let cursor: string | undefined
  do {
    const page = (await ask(
      url,
      'com.atproto.sync.listRepos',
      cursor === undefined ? {} : { cursor },
    )) as Listed
    for (const { did, active } of page.repos) {
      if (active && relay.repos.get(did)?.head === undefined) relay.note('unseen', did, 'never on the stream')
    }
    cursor = page.cursor
  } while (cursor !== undefined)
}

function compareStatus(relay: StrictRelay, did: string, repo: RepoState, answer: Answer): void {
  const isGone = answer['error'] === 'RepoNotFound'
  const status = isGone ? 'deleted' : answer['active'] === true ? 'active' : answer['status']
  // An account that has moved in and is not active yet: the stream has said nothing of its status.
  const isAsSaid = status === repo.status || (repo.status === 'unknown' && status === 'deactivated')
  // One that was deleted and is on its way back.
  const isReturning = repo.status === 'deleted' && status === 'deactivated'
  if (isAsSaid || isReturning) return
  relay.note('status', did, `the host says ${String(status)}, the stream said ${repo.status}`)
}

async function ask(url: string, nsid: string, params: Record<string, string>): Promise<Answer> {
  const response = await fetch(`${url}/xrpc/${nsid}?${new URLSearchParams(params).toString()}`)
  return (await response.json()) as Answer
}
