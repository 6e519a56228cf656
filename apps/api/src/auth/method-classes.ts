// What an account does only here: no token for another service and no proxying may reach these (SPEC PX-5).
const protectedMethods = new Set(
  [
    'com.atproto.admin.sendEmail',
    'com.atproto.identity.requestPlcOperationSignature',
    'com.atproto.identity.signPlcOperation',
    'com.atproto.identity.updateHandle',
    'com.atproto.server.activateAccount',
    'com.atproto.server.confirmEmail',
    'com.atproto.server.createAppPassword',
    'com.atproto.server.deactivateAccount',
    'com.atproto.server.getAccountInviteCodes',
    'com.atproto.server.getSession',
    'com.atproto.server.listAppPasswords',
    'com.atproto.server.requestAccountDelete',
    'com.atproto.server.requestEmailConfirmation',
    'com.atproto.server.requestEmailUpdate',
    'com.atproto.server.revokeAppPassword',
    'com.atproto.server.updateEmail',
  ].map((nsid) => nsid.toLowerCase()),
)

/** Tells whether no service token may be made for the method, in whatever case it is written. */
export function isProtectedMethod(nsid: string): boolean {
  return protectedMethods.has(nsid.toLowerCase())
}

/** Tells whether the method is closed to app passwords that are not privileged. */
export function isPrivilegedMethod(nsid: string): boolean {
  const method = nsid.toLowerCase()
  return method.startsWith('chat.bsky.') || method === 'com.atproto.server.createaccount'
}
