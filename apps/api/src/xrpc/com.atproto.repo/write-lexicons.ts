import type { RecordLexiconFinder, WriteLexicons } from '@rookery/lexicon-resolver'
import type { HostDirectory } from '@rookery/tenants'

export type WriteLexiconDeps = {
  directory: Pick<HostDirectory, 'findTenant'>
  recordLexicons: Pick<RecordLexiconFinder, 'find'>
}

/**
 * Returns what the records of a write are validated with, by the policy of the account's tenant. It may have to be
 * looked up on the network: nothing waits for that but the write itself.
 */
export async function findWriteLexicons(
  deps: WriteLexiconDeps,
  tenantId: number,
  write: { collections: Iterable<string>; validate: boolean | undefined },
): Promise<WriteLexicons> {
  const tenant = await deps.directory.findTenant(tenantId)
  const policy = tenant?.settings.lexiconResolution ?? 'off'
  return deps.recordLexicons.find(policy, write.collections, write.validate)
}
