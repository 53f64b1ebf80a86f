//! Pages of orders: the list with search and filters, the order with its timeline, order entry.
//! (Handlers follow with the shell.)
