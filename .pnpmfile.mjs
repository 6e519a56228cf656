/** The reference PDS is here for its test suite's names: nothing of it runs, so nothing that it needs is installed. */
export const hooks = {
  readPackage(manifest) {
    if (manifest.name === '@atproto/pds') {
      manifest.dependencies = {}
      manifest.peerDependencies = {}
    }
    return manifest
  },
}
