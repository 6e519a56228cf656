export type { S3Fault, S3Operation } from './s3-emulator/faults.ts'
export { type S3Emulator, type S3EmulatorOptions, startS3Emulator } from './s3-emulator/start-s3-emulator.ts'
