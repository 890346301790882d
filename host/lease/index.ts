export {
  acquireLease,
  holdsLease,
  isLeaseFree,
  type Lease,
  type LeaseOptions,
  readLeaseHolder,
  releaseLease,
  renewLease,
} from './lease.ts'
