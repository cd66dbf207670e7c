import { ConditionalCheckFailedException } from '@aws-sdk/client-dynamodb'
import { StateStoreError } from '../model/errors.ts'
import { awsFault } from './aws-fault.ts'

/**
 * Waits for calls to one table and turns what goes wrong into StateStoreError. A condition that does not hold is an
 * answer and no fault: it is thrown as it came.
 */
export function dynamoCalls(table: string): <T>(operation: string, work: Promise<T>) => Promise<T> {
  return async (operation, work) => {
    try {
      return await work
    } catch (error) {
      if (error instanceof ConditionalCheckFailedException) throw error
      const { message, fix, cause } = awsFault(error, {
        service: 'DynamoDB',
        operation,
        action: `dynamodb:${operation}`,
        resource: `table ${table}`,
        fixes: {
          ResourceNotFoundException: `deploy the stack, or set AWS_REGION: there is no table ${table}`,
        },
      })
      throw new StateStoreError(message, { fix, cause })
    }
  }
}
