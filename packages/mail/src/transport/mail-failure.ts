/**
 * Why a mail was not taken: `temporary` is worth another try, `permanent` is not, and `bad-address` says that the
 * address can't get any mail.
 */
export type MailFailure = 'temporary' | 'permanent' | 'bad-address'

/** What Amazon SES says of mails that it will never take; its other errors are about us, or about now. */
const sesRejections = new Set(['MessageRejected', 'BadRequestException'])

/**
 * Tells whether sending again can help. Only what the server says of the recipient or of the mail itself is
 * permanent: a server that refuses our login or sender may be set right while the job waits.
 *
 * SMTP: replies 4yz are temporary, 5yz permanent, and 5.1.z are about the address (RFC 5321, 4.2.1; RFC 3463, 3.2).
 */
export function mailFailureOf(error: unknown): MailFailure {
  if (!(error instanceof Error)) return 'temporary'
  if (sesRejections.has(error.name)) return 'permanent'
  const { responseCode, command, response } = error as Error & Record<string, unknown>
  if (typeof responseCode !== 'number' || responseCode < 500) return 'temporary'
  if (command === 'RCPT TO') {
    return typeof response === 'string' && /^5\d\d[ -]5\.1\./.test(response) ? 'bad-address' : 'permanent'
  }
  return command === 'DATA' ? 'permanent' : 'temporary'
}
