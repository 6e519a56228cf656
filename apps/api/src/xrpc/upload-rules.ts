import type { BlobRules } from '@rookery/records'
import type { TenantSettings } from '@rookery/tenants'

/** Returns the largest blob that a tenant's accounts may upload, in bytes: never more than the cluster takes. */
export function uploadBytesMaxOf(settings: TenantSettings, clusterBytesMax: number): number {
  return Math.min(settings.blobBytesMax ?? clusterBytesMax, clusterBytesMax)
}

/** Returns what a tenant asks of a blob besides its size. */
export function uploadRulesOf(settings: TenantSettings): BlobRules {
  return {
    types: settings.blobTypes,
    typesRefused: settings.blobTypesRefused,
    location: settings.blobLocation,
    accountBytesMax: settings.accountBlobBytesMax,
    tenantBytesMax: settings.tenantBlobBytesMax,
  }
}
