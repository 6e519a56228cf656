import type { DidDocument } from './did-document.ts'

/** Returns the did:web document of a host, for `/.well-known/did.json` at its own name. */
export function hostDidDocument(host: { serviceDid: string; publicUrl: string }): DidDocument {
  return {
    '@context': ['https://www.w3.org/ns/did/v1'],
    id: host.serviceDid,
    service: [{ id: '#atproto_pds', type: 'AtprotoPersonalDataServer', serviceEndpoint: host.publicUrl }],
  }
}
