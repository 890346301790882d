export {
  acquireLease,
  holdsLease,
  isLeaseFree,
  type Lease,
  type LeaseOptions,
  readLeaseHolder,
  releaseLease,
} from './lease.ts'
