/**
 * What is used of the Redis client, in a file of our own for others to import when they need it: the client is CommonJS,
 * of which a dynamic import by its own name has nothing but a default once it is bundled for Lambda.
 */
export { ConnectionTimeoutError, createClient, WatchError } from '@redis/client'
