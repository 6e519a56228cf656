import { describe, expect, test } from 'vitest'

import { InvalidBlobSettingsError } from './errors.ts'
import { blobStoreOptions } from './open-blob-store.ts'

const s3 = { driver: 's3', s3Region: 'eu-1', s3PathStyle: true, s3Bucket: 'blobs' } as const

describe('blobStoreOptions', () => {
  test('takes what each driver needs', () => {
    const disk = {
      driver: 'disk',
      directory: '/srv/blobs',
      s3Region: 'us-east-1',
      s3PathStyle: false,
    } as const
    expect(blobStoreOptions(disk)).toEqual({ driver: 'disk', dir: '/srv/blobs' })
    expect(blobStoreOptions({ ...s3, s3AccessKeyId: 'id', s3SecretAccessKey: 'secret' })).toEqual({
      driver: 's3',
      bucket: 'blobs',
      region: 'eu-1',
      endpoint: undefined,
      forcePathStyle: true,
      credentials: { accessKeyId: 'id', secretAccessKey: 'secret' },
    })
    expect(blobStoreOptions(s3)).toMatchObject({ credentials: undefined })
  })

  test('refuses settings that name no store', () => {
    for (const settings of [
      { driver: 'disk', s3Region: 'us-east-1', s3PathStyle: false } as const,
      { ...s3, s3Bucket: undefined },
      { ...s3, s3AccessKeyId: 'id' },
      { ...s3, s3SecretAccessKey: 'secret' },
    ]) {
      expect(() => blobStoreOptions(settings)).toThrow(InvalidBlobSettingsError)
    }
  })
})
