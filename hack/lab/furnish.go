package main

import (
	"context"
	"errors"
	"fmt"

	"heliumai.space/ecsrelease/internal/lab"
)

// furnish makes in a local AWS what the users of the operator have in theirs before they install it,
// and prints what that is.
func furnish(ctx context.Context, endpoint string) error {
	if endpoint == "" {
		return errors.New("AWS_ENDPOINT_URL is not set: it must be what bin/awssim says that it listens on")
	}
	account, err := newAccount()
	if err != nil {
		return err
	}
	account.AWS = lab.AWS{Endpoint: endpoint}
	w := &world{digests: map[string]string{}, account: account}
	if err := account.Furnish(ctx); err != nil {
		return err
	}
	if err := account.Settle(ctx); err != nil {
		return err
	}
	if err := w.stock(ctx); err != nil {
		return err
	}
	fmt.Printf("In the AWS at %s, account %s:\n\n", endpoint, lab.AccountID)
	for _, cluster := range account.Clusters {
		fmt.Printf("  %-14s  cluster %-29s  services %v on %s:v1\n", cluster.Region, cluster.Name, lab.Services(), lab.Repository)
	}
	fmt.Printf("\n  ECR   %s: v1, v2 and v4, which work; v3, whose containers exit with %d;\n"+
		"        v5, which was built from another branch than they\n", lab.Repository, crashCode)
	for _, environment := range account.Environments {
		fmt.Printf("  role  %s, external ID %s\n", lab.Role(environment), lab.ExternalID(environment))
	}
	return nil
}
