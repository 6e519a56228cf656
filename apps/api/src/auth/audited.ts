import { type Account, appendAuditEntry, findAccount } from '@rookery/accounts'
import type { Database } from '@rookery/db'
import type { AnyXrpcMethod, PdsHost, XrpcCall, XrpcLexicons } from '@rookery/http'
import { tryParseAtUri } from '@rookery/syntax'

import type { Operator } from './operator.ts'

/** What the inputs of operators' methods name an account by. */
type Subject = {
  did?: unknown
  account?: unknown
  recipientDid?: unknown
  forAccount?: unknown
  subject?: { did?: unknown; uri?: unknown }
}

/** What of an input is not the audit log's to keep. */
const keptOut = ['password', 'email', 'content']

/**
 * Returns the method with what it does in the audit log: who did what to whom, once it is done. A query does nothing and
 * is returned as it is.
 */
export function audited(
  deps: { db: Pick<Database, 'pool'>; lexicons: XrpcLexicons },
  method: AnyXrpcMethod,
): AnyXrpcMethod {
  if (deps.lexicons.methodOf(method.nsid)?.type === 'query') return method
  return {
    ...method,
    handler: async (call: XrpcCall<unknown, object, Operator>) => {
      // Looked up first: the method may be what deletes it.
      const account = await findSubject(deps, call.host, call.input)
      const output: unknown = await method.handler(call)
      await appendAuditEntry(deps.db.pool, {
        hostId: call.host.id,
        tenantId: account?.tenant_id ?? null,
        did: account?.did ?? null,
        actor: call.auth.name,
        action: method.nsid,
        detail: Object.fromEntries(Object.entries(call.input).filter(([key]) => !keptOut.includes(key))),
      })
      return output
    },
  }
}

async function findSubject(
  { db }: { db: Pick<Database, 'pool'> },
  host: PdsHost,
  { did, account, recipientDid, forAccount, subject }: Subject,
): Promise<Account | undefined> {
  const uri = typeof subject?.uri === 'string' ? tryParseAtUri(subject.uri) : undefined
  const name = did ?? account ?? recipientDid ?? forAccount ?? subject?.did ?? uri?.authority
  return typeof name === 'string' ? findAccount(db.pool, host.id, name) : undefined
}
