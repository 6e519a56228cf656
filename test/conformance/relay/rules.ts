/** What a strict relay or consumer holds against an event (SPEC §4, §5, §19), and where that is written. */
export const rules = {
  'frame-size': 'a frame has at most 5,000,000 bytes (EV-9)',
  'frame-encoding': 'header and body are two canonical DRISL objects of a known type (EV-1)',
  'frame-error': 'a stream that is read as it should be has neither error nor #info frames (EV-5, EV-8)',
  seq: 'seq rises strictly and stays below 2^53 (EV-4)',
  fields: 'an event has exactly the fields of its type, with their constant values (SYN-1, SYN-5 to SYN-7)',
  syntax: 'DIDs, revs, handles and paths are what they are called',
  time: 'time is a datetime with milliseconds, in UTC (SYN-14)',
  announced: '#identity and an active #account come before the first commit (SPEC §5)',
  inactive: 'no #commit or #sync while the account is not active (SYN-13)',
  deleted: 'a deleted account has no other status until it is active again',
  unresolved: 'the DID of an event resolves (IDN-16)',
  host: 'the DID document names the host that the event comes from',
  handle: 'the handle of #identity is the one in the DID document, or handle.invalid (SYN-6)',
  'slice-size': 'blocks of a #commit have at most 2,000,000 bytes (SYN-3)',
  'ops-count': 'a #commit has at most 200 operations (SYN-3)',
  ops: 'an operation has the fields of its action, and its path occurs once (SYN-2, WR-2)',
  car: 'blocks is a CAR with one root, whose blocks have the CIDs that they are under (CAR-1)',
  'commit-object': 'the root is a version 3 commit of the event’s repo and rev (REP-1)',
  'rev-future': 'a rev is at most five minutes ahead of the clock',
  'rev-order': 'a repo’s rev only rises (REP-3)',
  signature: 'the commit is signed with the key in the DID document (REP-2)',
  chain: 'since and prevData name the state before (SYN-4)',
  record:
    'a slice has the records that were written, of 1,000,000 bytes at most, and no others (DIFF-1, DIFF-2)',
  inversion: 'the operations, undone on the slice, lead back to prevData (DIFF-4)',
  'sync-size': 'blocks of a #sync have at most 10,000 bytes (SYN-5)',
  'sync-blocks': 'a #sync has the signed commit and nothing else (SYN-5)',
  head: 'getLatestCommit answers what the stream said last',
  status: 'getRepoStatus answers what the stream said last (ST-2)',
  unseen: 'every active repo of the host has been on the stream',
} as const

export type Rule = keyof typeof rules

/** Something that a strict relay would not take. */
export type Finding = { rule: Rule; seq: number; did: string; detail: string }

/** Ends the check of one event: what comes after makes no sense without it. */
export class RuleBroken extends Error {
  readonly rule: Rule

  constructor(rule: Rule, detail: string) {
    super(detail)
    this.rule = rule
  }
}

/** Throws unless the condition holds. */
export function must(condition: boolean, rule: Rule, detail: string): asserts condition {
  if (!condition) throw new RuleBroken(rule, detail)
}

/** Runs something that throws for whatever reason, as one rule. */
export async function as<T>(rule: Rule, run: () => T | Promise<T>): Promise<T> {
  try {
    return await run()
  } catch (error) {
    throw error instanceof RuleBroken ? error : new RuleBroken(rule, String(error))
  }
}
