// Package lab is what the demonstration and the tests of whole processes share: programs that
// run until they are ended by their pid, with their output in log files, and a local AWS
// furnished with what the operator's users have before they install it. Nothing that is shipped
// imports it.
package lab
