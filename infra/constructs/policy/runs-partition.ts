/** The partition keys lib/aws/dynamo/dynamo-scheduled-runs.ts uses: what the daily check remembers, and the last run of a broker. */
export const RUNS_PARTITION = 'runs'

export function runsPartitionOf(brokerId: string): string {
  return `${RUNS_PARTITION}#${brokerId}`
}
