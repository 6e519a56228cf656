/**
 * For glibc's allocator in PostgreSQL and in the roles: keep memory that is free, up to 64 MiB of it, instead of giving
 * it back. Both allocate some hundred kilobytes for a statement or a response and free all of it a millisecond later;
 * by default that goes back to the kernel each time and costs a page fault for every 4 KiB of the next one.
 */
export const memoryEnvironment = {
  MALLOC_TRIM_THRESHOLD_: String(64 * 1024 * 1024),
  MALLOC_MMAP_THRESHOLD_: String(4 * 1024 * 1024),
  MALLOC_TOP_PAD_: String(1024 * 1024),
} as const
