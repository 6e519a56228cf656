import type { TenantSettings } from './settings.ts'

/** Returns the largest blob that a tenant's accounts may upload, in bytes: never more than the cluster takes. */
export function uploadBytesMaxOf(settings: TenantSettings, clusterBytesMax: number): number {
  return Math.min(settings.blobBytesMax ?? clusterBytesMax, clusterBytesMax)
}

/** What a tenant asks of a blob: see `BlobRules` of the package records. */
export type UploadRules = {
  types: readonly string[]
  typesRefused: readonly string[]
  location: TenantSettings['blobLocation']
  accountBytesMax: number | null
  tenantBytesMax: number | null
}

/** Returns what a tenant asks of a blob besides its size. */
export function uploadRulesOf(settings: TenantSettings): UploadRules {
  return {
    types: settings.blobTypes,
    typesRefused: settings.blobTypesRefused,
    location: settings.blobLocation,
    accountBytesMax: settings.accountBlobBytesMax,
    tenantBytesMax: settings.tenantBlobBytesMax,
  }
}
