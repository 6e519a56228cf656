import type { JobProcessor } from '@rookery/jobs'
import { type DeliverMailDeps, deliverMail } from '@rookery/mail'

/** Sends a mail. A crash after the server took it sends it again: only the later token is then good. */
export function mail(deps: DeliverMailDeps): JobProcessor<'mail'> {
  return ({ id, payload, attempt }) => deliverMail(deps, { id, payload, attempt })
}
