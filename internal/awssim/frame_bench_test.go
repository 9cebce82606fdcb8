package awssim

import (
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
)

// BenchmarkOneCall is a whole call of the SDK, its own signing and decoding included.
func BenchmarkOneCall(b *testing.B) {
	s := New(Options{Quotas: false})
	client := ecs.New(ecs.Options{
		Region: mumbai, BaseEndpoint: aws.String("http://awssim.local"), HTTPClient: s.HTTPClient(),
		Credentials: credentials.NewStaticCredentialsProvider(ownAccount, rootSecret, ""),
	})
	b.ReportAllocs()
	for b.Loop() {
		if _, err := client.ListClusters(b.Context(), &ecs.ListClustersInput{}); err != nil {
			b.Fatal(err)
		}
	}
}
