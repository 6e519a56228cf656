import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { openBlobStore } from '@rookery/blobs'
import { startS3Emulator } from '@rookery/local'

import { testBlobStore } from './blob-store.ts'

testBlobStore('disk', async () => {
  const dir = await mkdtemp(join(tmpdir(), 'rookery-blobs-'))
  const store = openBlobStore({ driver: 'disk', dir })
  return {
    store,
    hasPublicEndpoint: false,
    [Symbol.asyncDispose]: async () => {
      await store[Symbol.asyncDispose]()
      await rm(dir, { recursive: true })
    },
  }
})

testBlobStore('s3', async () => {
  const dir = await mkdtemp(join(tmpdir(), 'rookery-s3-'))
  const emulator = await startS3Emulator({ dir })
  const { endpoint, bucket, accessKey, secretKey } = emulator
  const store = openBlobStore({
    driver: 's3',
    endpoint,
    publicEndpoint: endpoint,
    bucket,
    credentials: { accessKeyId: accessKey, secretAccessKey: secretKey },
  })
  return {
    store,
    hasPublicEndpoint: true,
    [Symbol.asyncDispose]: async () => {
      await store[Symbol.asyncDispose]()
      await emulator[Symbol.asyncDispose]()
      await rm(dir, { recursive: true })
    },
  }
})
