export { acquireLease, holdsLease, type Lease, readLeaseHolder, releaseLease } from './lease.ts'
