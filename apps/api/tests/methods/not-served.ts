/**
 * Why methods of com.atproto are not served here, by the name or its beginning. For an account that is signed in they
 * are forwarded like any other, to the service that the request names or to the tenant's AppView.
 */
export const notServed: Readonly<Record<string, string>> = {
  'com.atproto.admin.updateAccountSigningKey':
    'a key is never handed in from outside: the cluster makes and wraps it',
  'com.atproto.label.': 'a labeler’s; forwarded',
  'com.atproto.sync.getHostStatus': 'a relay’s',
  'com.atproto.sync.listHosts': 'a relay’s',
  'com.atproto.sync.listReposByCollection': 'a relay’s, or an index’s beside it',
  'com.atproto.sync.notifyOfUpdate': 'a relay’s, and out of use',
  'com.atproto.sync.requestCrawl': 'a relay’s: this is who calls it',
  'com.atproto.temp.': 'an entryway’s, or out of use; forwarded',
}

/** Returns why a method is not served, if it is said. */
export function whyNotServed(nsid: string): string | undefined {
  const found = Object.keys(notServed).find((name) =>
    name.endsWith('.') ? nsid.startsWith(name) : nsid === name,
  )
  return found === undefined ? undefined : notServed[found]
}
