import { ConditionalCheckFailedException } from '@aws-sdk/client-dynamodb'
import { StateStoreError } from '../../model/errors.ts'
import { awsFault } from '../aws-fault.ts'

/**
 * Returns a function that waits for a call to the table and throws a StateStoreError where it fails. A
 * condition that does not hold is an answer and no fault, so its error is thrown as it is.
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
