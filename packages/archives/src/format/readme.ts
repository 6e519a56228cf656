/** Returns the text that tells a reader what an archive holds. */
export function readmeOf({
  did,
  handle,
  host,
}: {
  did: string
  handle: string | null
  host: string
}): string {
  return `Archive of the account ${handle ?? did} (${did}) at ${host}.

repo.car          All public records, as a signed repository of the AT Protocol (CAR, version 1).
preferences.json  What the account's apps keep here: settings, muted words, saved feeds.
blobs/            Pictures, videos and other files, each named by its CID.
account.json      Who the account is, the repository's commit and revision, and the list of files.

There is no password and no key in here. Any server of the AT Protocol imports repo.car
(com.atproto.repo.importRepo) and the files in blobs (com.atproto.repo.uploadBlob).
Files that were deleted while the archive was made, or may not be served, are not in it.
`
}
