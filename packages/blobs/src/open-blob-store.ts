import type { BlobStore } from './blob-store.ts'
import { MeasuredBlobStore } from './measured-blob-store.ts'
import { DiskBlobStore, type DiskBlobStoreOptions } from './disk-blob-store.ts'
import { InvalidBlobSettingsError } from './errors.ts'
import { S3BlobStore, type S3BlobStoreOptions } from './s3-blob-store.ts'

/** Which driver to use, with its settings. */
export type BlobStoreOptions =
  | ({ driver: 's3' } & S3BlobStoreOptions)
  | ({ driver: 'disk' } & DiskBlobStoreOptions)

/** Returns the store that the settings name. The caller disposes of it; nothing is contacted before first use. */
export function openBlobStore(options: BlobStoreOptions): BlobStore {
  return new MeasuredBlobStore(
    options.driver === 's3' ? new S3BlobStore(options) : new DiskBlobStore(options),
  )
}

/** The settings of the blobs area of the configuration. */
export type BlobSettings = {
  driver: 's3' | 'disk'
  directory?: string | undefined
  s3Endpoint?: string | undefined
  s3PublicEndpoint?: string | undefined
  s3Region: string
  s3Bucket?: string | undefined
  s3AccessKeyId?: string | undefined
  s3SecretAccessKey?: string | undefined
  s3PathStyle: boolean
}

/**
 * Returns the options that the configuration stands for.
 *
 * @throws {InvalidBlobSettingsError} if what the driver needs is not set.
 */
export function blobStoreOptions(settings: BlobSettings): BlobStoreOptions {
  const { s3AccessKeyId: accessKeyId, s3SecretAccessKey: secretAccessKey } = settings
  if (settings.driver === 'disk') {
    if (settings.directory === undefined)
      throw new InvalidBlobSettingsError('the disk driver needs a directory')
    return { driver: 'disk', dir: settings.directory }
  }
  if (settings.s3Bucket === undefined) throw new InvalidBlobSettingsError('the s3 driver needs a bucket')
  if ((accessKeyId === undefined) !== (secretAccessKey === undefined)) {
    throw new InvalidBlobSettingsError('an S3 access key and its secret are set together or not at all')
  }
  return {
    driver: 's3',
    bucket: settings.s3Bucket,
    region: settings.s3Region,
    endpoint: settings.s3Endpoint,
    publicEndpoint: settings.s3PublicEndpoint,
    forcePathStyle: settings.s3PathStyle,
    credentials:
      accessKeyId === undefined || secretAccessKey === undefined
        ? undefined
        : { accessKeyId, secretAccessKey },
  }
}
