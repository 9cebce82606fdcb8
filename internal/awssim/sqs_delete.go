package awssim

type deleteMessageInput struct {
	QueueURL      string `json:"QueueUrl"`
	ReceiptHandle string
}

func deleteMessage(c *call, in *deleteMessageInput) (any, error) {
	q, err := c.queueFor("DeleteMessage", in.QueueURL)
	if err != nil {
		return nil, err
	}
	return nil, q.acknowledge(in.ReceiptHandle)
}

// acknowledge deletes a message. With the handle of an older receive it succeeds and the
// message stays; a message that is gone is deleted ("DeleteMessage" in the API reference).
func (q *queue) acknowledge(handle string) error {
	if handle == "" {
		return missingParameter("ReceiptHandle")
	}
	m, latest, err := q.receipt(handle)
	if err == nil && latest {
		q.remove(m)
	}
	return err
}

type changeMessageVisibilityInput struct {
	QueueURL          string `json:"QueueUrl"`
	ReceiptHandle     string
	VisibilityTimeout *int
}

func changeMessageVisibility(c *call, in *changeMessageVisibilityInput) (any, error) {
	q, err := c.queueFor("ChangeMessageVisibility", in.QueueURL)
	if err != nil {
		return nil, err
	}
	return nil, c.hideAgain(q, in.ReceiptHandle, in.VisibilityTimeout)
}

// hideAgain sets how long from now a message that is in flight stays so.
func (c *call) hideAgain(q *queue, handle string, seconds *int) error {
	switch {
	case handle == "":
		return missingParameter("ReceiptHandle")
	case seconds == nil:
		return missingParameter("VisibilityTimeout")
	}
	if err := bounded("VisibilityTimeout", seconds, 0, 43200); err != nil {
		return err
	}
	m, latest, err := q.receipt(handle)
	switch {
	case err != nil:
		return err
	case m == nil || !latest:
		return invalidValue("ReceiptHandle", handle, "Message does not exist or is not available for visibility timeout change.")
	case m.inReady != nil:
		return sqsError("MessageNotInflight", "The specified message isn't in flight.")
	}
	now := c.sim.now()
	q.withdraw(m)
	q.hide(m, now.Add(orElse(seconds, 0)))
	q.settle(now)
	c.sim.rouse()
	return nil
}
