import manifest from '../../../package.json' with { type: 'json' }

/** Version of Rookery, as /xrpc/_health answers it. */
export const version: string = manifest.version
